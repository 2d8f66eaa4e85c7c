/* Hosts that have no back end: see jit.h. The interpreter serves, and nothing else is called. */
#include <errno.h>

#include "jit/jit.h"

struct jit *jit_create(const struct jit_layout *layout, size_t bytes)
{
	(void)layout;
	(void)bytes;
	errno = ENOTSUP;
	return NULL;
}

void jit_destroy(struct jit *j)
{
	(void)j;
}

void jit_limit(struct jit *j, unsigned level)
{
	(void)j;
	(void)level;
}

struct jit_code *jit_compile(struct jit *j, const struct ir_region *r, uint64_t pc)
{
	(void)j;
	(void)r;
	(void)pc;
	errno = ENOSPC;
	return NULL;
}

struct jit_code *jit_copy(struct jit *j, const struct jit_code *c)
{
	(void)j;
	(void)c;
	return NULL;
}

size_t jit_code_size(const struct jit_code *c)
{
	(void)c;
	return 0;
}

void jit_free(struct jit *j, struct jit_code *c)
{
	(void)j;
	(void)c;
}

enum ir_leave jit_run(struct jit *j, const void *entry, struct ir_env *env, struct jit_code **left,
		      uint32_t *exit_index)
{
	(void)j;
	(void)entry;
	(void)env;
	*left = NULL;
	*exit_index = 0;
	return IR_LEAVE_POLL;
}

const void *jit_unentered(const struct jit *j)
{
	(void)j;
	return NULL;
}

void jit_link(struct jit *j, struct jit_code *from, uint32_t exit, const struct jit_code *to, bool poll)
{
	(void)j;
	(void)from;
	(void)exit;
	(void)to;
	(void)poll;
}

void jit_unlink(struct jit *j, struct jit_code *from, uint32_t exit)
{
	(void)j;
	(void)from;
	(void)exit;
}

void jit_kill(struct jit *j, struct jit_code *c)
{
	(void)j;
	(void)c;
}

size_t jit_bytes(const struct jit *j)
{
	(void)j;
	return 0;
}
