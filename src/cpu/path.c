/*
 * Compiling paths: a path's pieces become one region of IR (arch->translate_path), optimised and compiled as any, that takes the
 * place of what is at its beginning. The code of the pieces was copied when the path was recorded; if any of it was
 * written since, nothing is entered (region_enter_path).
 */
#include <errno.h>

#include "cpu/core.h"
#include "util/slab.h"

/* As the translator takes them. */
static void pieces_of(const struct cpu_path *path, struct cpu_piece *piece)
{
	for (unsigned n = 0; n < path->n; n++) {
		const struct cpu_path_piece *p = &path->piece[n];

		piece[n] = (struct cpu_piece){
			.pc = p->pc,
			.bytes = p->code.bytes,
			.size = p->code.size,
			.next = {p->next[0], p->next[1]},
		};
	}
}

/* Checks are shared if none of the pieces is to be compiled without. */
static bool shares_checks(struct cpu_system *s, const struct cpu_path *path, unsigned n)
{
	bool all = true;

	while (n--)
		all = all && cpu_shares_checks(s, path->piece[n].host);
	return all;
}

/* The IR of the pieces as the front end makes it. */
static bool emit(struct cpu_system *s, struct ir_region *ir, uint32_t mode, struct cpu_piece *piece,
		 unsigned n)
{
	ir_region_reset(ir);
	ir->base = piece[0].pc & ~TLB_BLOCK_MASK;
	ir->span = region_span_shift(mode);
	s->arch->translate_path(mode & ~REGION_SPAN_MASK, ir, piece, n);
	return !ir->failed;
}

bool cpu_path_emit(struct cpu_system *s, struct ir_region *ir, uint32_t mode, struct cpu_piece *piece,
		   unsigned n)
{
	return emit(s, ir, mode, piece, n) && cpu_optimise(s, ir, true);
}

/* Do the pieces belong together, as the translator sees it: is more reached than the first? */
static bool is_path(const struct cpu_piece *piece, unsigned n)
{
	bool any = false;

	while (n-- > 1)
		any = any || piece[n].len;
	return any && piece[0].len;
}

/*
 * Compiled code of the first n pieces, and in *text, if it is wanted, what is interpreted. NULL: if errno is ENOBUFS, ENOSPC or
 * E2BIG fewer pieces may do.
 */
static struct jit_code *build(struct cpu_system *s, struct ir_region *ir, const struct cpu_path *path,
			      struct cpu_piece *piece, unsigned n, struct ir_code **text)
{
	struct jit_code *code = NULL;

	errno = ENOMEM;
	if (!emit(s, ir, path->mode, piece, n) || !cpu_well_formed(s, ir, "a path"))
		return NULL;
	errno = ENOENT;
	if (!is_path(piece, n))
		return NULL;
	if (text) {
		*text = ir_lower_in(ir, region_slab(s->regions), REGION_TEXT_FRONT);
		if (!*text)
			return NULL;
	}
	errno = ENOMEM;
	if (cpu_optimise(s, ir, shares_checks(s, path, n)))
		code = jit_compile(s->jit, ir, piece[0].pc);
	if (!code && text)
		slab_give(region_slab(s->regions), (char *)*text - REGION_TEXT_FRONT,
			  REGION_TEXT_FRONT + ir_code_size(*text));
	return code;
}

static hva_t place_of(const struct cpu_path *path, uint64_t pc)
{
	return HVA(pc == CPU_NO_NEXT ? 0 : path->piece[0].host.v + (pc - path->piece[0].pc));
}

/* What the region depends on; returns how many pieces that are. */
static unsigned sources(const struct cpu_path *path, const struct cpu_piece *piece, unsigned n,
			struct region_path_source *from)
{
	unsigned count = 0;

	for (unsigned k = 0; k < n; k++)
		if (piece[k].len)
			from[count++] = (struct region_path_source){
				.host = path->piece[k].host,
				.next = {place_of(path, piece[k].next[0]), place_of(path, piece[k].next[1])},
				.len = piece[k].len,
				.version = path->piece[k].version,
			};
	return count;
}

void cpu_path_make(struct cpu_system *s, struct ir_region *ir, const struct cpu_path *path)
{
	const struct region_source at = {
		.host = path->piece[0].host,
		.pc = path->piece[0].pc,
		.mode = path->mode,
	};
	struct cpu_piece piece[CPU_PIECES];
	struct region_path_source from[CPU_PIECES];
	struct ir_code *text = NULL;
	struct jit_code *code = NULL;
	unsigned n = path->n, count;

	/* Two processors, or two beginnings in one loop, may have found the same. */
	if (region_path_made(s->regions, &at) >= path->made)
		return;
	/* It need not be compiled if it cannot be entered. */
	for (unsigned k = 0; k < n; k++)
		if (region_block_version(s->regions, path->piece[k].host) != path->piece[k].version)
			return;
	for (; n > 1; n /= 2) {
		pieces_of(path, piece);
		code = build(s, ir, path, piece, n, s->lockstep ? &text : NULL);
		if (code || errno == ENOMEM || errno == ENOENT)
			break;
	}
	if (!code)
		goto fail;
	count = sources(path, piece, n, from);
	if (UNLIKELY(s->trace))
		cpu_trace_path(s, path->mode, ir, piece, n, code);
	if (!region_enter_path(s->regions, &at, from, count, code, text, path->made))
		goto fail;
	count_shared(&s->regions_path);
	return;
fail:
	count_shared(&s->compile_failures);
}
