/*
 * Kinds of address, as distinct types so that one cannot be passed for another.
 *
 *   gva_t  guest effective (Power), linear (x86) or virtual (z) address
 *   gpa_t  guest physical: what a VM's memory slots are addressed with
 *   hva_t  host virtual: a pointer of this process, as a number
 *
 * The software processors' own "real" addresses (the output of the last translation stage that
 * the hypervisor controls) are host virtual addresses: partition-scoped page tables that the
 * hypervisor builds hold hva_t in their page-number fields, so the processor's walker reaches
 * memory without another lookup. Only tables of the hypervisor hold them; everything that a
 * guest writes is an address of the guest and goes through those tables first.
 */
#ifndef ANYKVM_MEM_ADDR_H
#define ANYKVM_MEM_ADDR_H

#include <stdint.h>

typedef struct {
	uint64_t v;
} gva_t;

typedef struct {
	uint64_t v;
} gpa_t;

typedef struct {
	uint64_t v;
} hva_t;

#define GVA(x) ((gva_t){(uint64_t)(x)})
#define GPA(x) ((gpa_t){(uint64_t)(x)})
#define HVA(x) ((hva_t){(uint64_t)(uintptr_t)(x)})

static inline void *hva_ptr(hva_t a)
{
	return (void *)(uintptr_t)a.v;
}

#endif
