/*
 * Forming and translating regions.
 */
#ifndef ANYKVM_CPU_POWER9_REGION_H
#define ANYKVM_CPU_POWER9_REGION_H

#include "cpu/power9/core.h"

/* cpu_arch.translate */
uint32_t p9_translate_region(uint32_t mode, struct ir_region *r, uint64_t pc, const uint8_t *code,
			     uint32_t bytes, uint32_t max_insns);

/* cpu_arch.translate_path */
void p9_translate_path(uint32_t mode, struct ir_region *r, struct cpu_piece *piece, unsigned n);

/* cpu_arch.disassemble, .describe_mode, .describe_state */
uint32_t p9_disassemble(uint32_t mode, const uint8_t *code, uint32_t bytes, uint64_t pc, char *text,
			size_t size);
void p9_describe_state(uint32_t offset, char *text, size_t size);
void p9_describe_mode(uint32_t mode, char *text, size_t size);

#endif
