/*
 * The first instructions of both L1 and L2. The machine enters L1 at 0 in real mode, 64-bit, big-endian;
 * when it was built little-endian, what is there is big-endian all the same, and switches.
 */
#ifdef __LITTLE_ENDIAN__
#define BE(insn) .long ((insn & 0xff) << 24 | (insn & 0xff00) << 8 | (insn >> 8 & 0xff00) | (insn >> 24 & 0xff))
#else
#define BE(insn) .long insn
#endif

	.section .start, "ax"
	.globl _start
_start:
#ifdef L1
#ifdef __LITTLE_ENDIAN__
	BE(0x7d6000a6)			/* mfmsr r11 */
	BE(0x616b0001)			/* ori r11,r11,MSR_LE */
	BE(0x7d7b03a6)			/* mtsrr1 r11 */
	BE((0x39400000 + (1f - _start)))	/* li r10,1f */
	BE(0x7d5a03a6)			/* mtsrr0 r10 */
	BE(0x4c000024)			/* rfid */
#endif
#endif
1:	lis	%r1, STACK@h
	ori	%r1, %r1, STACK@l
	lis	%r2, .TOC.@ha
	addi	%r2, %r2, .TOC.@l
	bl	main
2:	b	2b

	/* hcall(): the number is in GPR3 already, and the result comes there. */
	.globl hcall
hcall:	sc	1
	blr

#ifdef L1
	.globl l2_image, l2_image_end
	.balign 16
l2_image:
	.incbin L2_IMAGE
l2_image_end:
#endif
	.section .note.GNU-stack, "", @progbits
