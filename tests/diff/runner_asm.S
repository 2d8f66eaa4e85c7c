/*
 * The runner's assembly part: load every register from DIFF_INIT, run a slot, store every register
 * to DIFF_OUT. No register is free between the two, so both places are addressed absolutely.
 */
#include "record.h"

#define KEEP_GPR  DIFF_KEEP          /* r1, r2, r13..r31 */
#define KEEP_LR   (DIFF_KEEP + 256)
#define KEEP_CR   (DIFF_KEEP + 264)
#define KEEP_PAD  (DIFF_KEEP + 272)
#define SCRATCH   (DIFF_KEEP + 512)

	.section .low, "awx", @nobits
	.space 0x3000

	.text
	.globl _start
_start:
	lis	2, .TOC.@ha
	addi	2, 2, .TOC.@l
	lis	1, runner_stack_top@ha
	addi	1, 1, runner_stack_top@l
	addi	1, 1, -256
	li	0, 0
	std	0, 0(1)
	bl	runner_main
	nop
	trap

/* void run_slot(uint64_t address): returns when the case has ended. */
	.globl run_slot
	.type run_slot, @function
run_slot:
	mflr	0
	std	0, KEEP_LR(0)
	mfcr	0
	std	0, KEEP_CR(0)
	std	1, KEEP_GPR+8(0)
	std	2, KEEP_GPR+16(0)
	.set	n, 13
	.rept	19
	std	n, KEEP_GPR+8*n(0)
	.set	n, n+1
	.endr
	/* no reservation */
	li	4, SCRATCH
	ldarx	5, 0, 4
	stdcx.	5, 0, 4
	mtctr	3
	li	4, DIFF_INIT+DIFF_VSCR
	lxvd2x	32, 0, 4
	mtvscr	0
	li	4, DIFF_INIT+DIFF_VSR
	.set	n, 0
	.rept	64
	lxvd2x	n, 0, 4
	addi	4, 4, 16
	.set	n, n+1
	.endr
	/* FPSCR last, through FPR 0, which is then loaded again */
	lfd	0, DIFF_INIT+DIFF_FPSCR(0)
	mtfsf	255, 0, 1, 0
	li	4, DIFF_INIT+DIFF_VSR
	lxvd2x	0, 0, 4
	ld	0, DIFF_INIT+DIFF_LR(0)
	mtlr	0
	ld	0, DIFF_INIT+DIFF_TAR(0)
	mtspr	815, 0
	ld	0, DIFF_INIT+DIFF_VRSAVE(0)
	mtspr	256, 0
	ld	0, DIFF_INIT+DIFF_XER(0)
	mtxer	0
	ld	0, DIFF_INIT+DIFF_CR(0)
	mtcr	0
	.set	n, 0
	.rept	32
	ld	n, DIFF_INIT+DIFF_GPR+8*n(0)
	.set	n, n+1
	.endr
	bctr

/* The slot's first instructions: CTR brought the case here and gets its own value now. */
	.globl slot_prologue
slot_prologue:
	ld	0, DIFF_INIT+DIFF_CTR(0)
	mtctr	0
	ld	0, DIFF_INIT+DIFF_GPR(0)

/* What the pads are: absolute branches to the places where the case ends. */
	.globl slot_pads
slot_pads:
	ba	end0
	ba	end1
	ba	end2
	ba	end3

	.macro	end number
end\number:
	std	0, DIFF_OUT+DIFF_GPR(0)
	li	0, \number
	b	save
	.endm
	end 0
	end 1
	end 2
	end 3

save:
	std	0, KEEP_PAD(0)
	.set	n, 1
	.rept	31
	std	n, DIFF_OUT+DIFF_GPR+8*n(0)
	.set	n, n+1
	.endr
	mfcr	0
	std	0, DIFF_OUT+DIFF_CR(0)
	mfxer	0
	std	0, DIFF_OUT+DIFF_XER(0)
	mfctr	0
	std	0, DIFF_OUT+DIFF_CTR(0)
	mflr	0
	std	0, DIFF_OUT+DIFF_LR(0)
	mfspr	0, 815
	std	0, DIFF_OUT+DIFF_TAR(0)
	mfspr	0, 256
	std	0, DIFF_OUT+DIFF_VRSAVE(0)
	li	4, DIFF_OUT+DIFF_VSR
	.set	n, 0
	.rept	64
	stxvd2x	n, 0, 4
	addi	4, 4, 16
	.set	n, n+1
	.endr
	mffs	0
	stfd	0, DIFF_OUT+DIFF_FPSCR(0)
	mfvscr	0
	li	4, DIFF_OUT+DIFF_VSCR
	stxvd2x	32, 0, 4
	/* fall through */

/* Back to run_slot's caller; the signal handler ends here too. */
	.globl run_resume
	.type run_resume, @function
run_resume:
	ld	0, KEEP_LR(0)
	mtlr	0
	ld	0, KEEP_CR(0)
	mtcr	0
	ld	1, KEEP_GPR+8(0)
	ld	2, KEEP_GPR+16(0)
	.set	n, 13
	.rept	19
	ld	n, KEEP_GPR+8*n(0)
	.set	n, n+1
	.endr
	/* FPSCR without enabled exceptions, for the runner's own sake */
	mtfsfi	6, 0
	mtfsfi	7, 0
	blr

	.globl runner_syscall
	.type runner_syscall, @function
/* long runner_syscall(long number, long a, long b, long c, long d): -errno on error */
runner_syscall:
	mr	0, 3
	mr	3, 4
	mr	4, 5
	mr	5, 6
	mr	6, 7
	sc
	bnslr
	neg	3, 3
	blr

	.globl runner_thread
	.type runner_thread, @function
/* void runner_thread(long flags, void *stack): a second thread, which sleeps for ever. */
runner_thread:
	li	0, 120 /* clone */
	sc
	cmpdi	3, 0
	bnelr
1:	li	0, 29 /* pause */
	sc
	b	1b

	.globl runner_handler
	.type runner_handler, @function
/* Signals arrive here by address: set up r2, which the test may have changed. */
runner_handler:
	lis	2, .TOC.@ha
	addi	2, 2, .TOC.@l
	b	runner_signal

	.section .bss
	.balign 4096
	.space 65536
	.globl runner_stack_top
runner_stack_top:
	.section .note.GNU-stack, "", @progbits
