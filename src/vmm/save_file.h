/*
 * The file that a virtual machine's state is saved to: a head, then sections, each with its length
 * and checksum. All numbers are little-endian.
 *
 *   head      "anykvm state\n" and padding (16 bytes), version (4), 0 (4)
 *   section   tag (4), 0 (4), length (8), CRC-32 of the payload (4), 0 (4), payload
 *   end       a section SAVE_END, empty, and the end of the file
 *
 * Writing goes to a file of another name in the same folder, which takes the place of an older one
 * when it is whole and on the disk. It can be read by its owner only, since a guest's memory is in
 * it.
 *
 * A reader trusts nothing: what it gives out is whole and has the right checksum, no more.
 * Functions give 0 or -errno with a sentence: -EINVAL for a file that is damaged, or none of ours.
 */
#ifndef ANYKVM_VMM_SAVE_FILE_H
#define ANYKVM_VMM_SAVE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/error.h"

#define SAVE_VERSION     1
#define SAVE_MAX_SECTION (UINT64_C(16) << 20)

#define SAVE_TAG(a, b, c, d)                                                                       \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define SAVE_END SAVE_TAG('E', 'N', 'D', ' ')

/* --- writing --- */

struct save_writer;

/* Whether a state could be saved there: a check ahead of time. */
int save_writer_probe(const char *path, struct error *e);
int save_writer_open(struct save_writer **w, const char *path, struct error *e);
/* Collect a section's payload. Lack of memory is reported by save_section. */
void save_put(struct save_writer *w, const void *data, size_t n);
void save_put32(struct save_writer *w, uint32_t v);
void save_put64(struct save_writer *w, uint64_t v);
/* A string of any length, or NULL. */
void save_put_string(struct save_writer *w, const char *s);
/* Write what was collected as a section. */
int save_section(struct save_writer *w, uint32_t tag, struct error *e);
/* Have the file take its name; frees w whatever comes of it. */
int save_writer_commit(struct save_writer *w, struct error *e);
/* Nothing was saved. */
void save_writer_abort(struct save_writer *w);

/* --- reading --- */

struct save_reader;

/* A section's payload. Reading behind the end gives zeros and sets `bad`. */
struct save_cursor {
	const uint8_t *at, *end;
	bool bad;
};

int save_reader_open(struct save_reader **r, const char *path, struct error *e);
void save_reader_close(struct save_reader *r);
/* The next section; its payload is there until the next call. Tag SAVE_END: there are no more. */
int save_next(struct save_reader *r, uint32_t *tag, struct save_cursor *c, struct error *e);
/* "FILE is damaged: it has no ..." and the like; gives -EINVAL. */
int save_damaged(const struct save_reader *r, const char *what, struct error *e);

void save_get(struct save_cursor *c, void *data, size_t n);
uint32_t save_get32(struct save_cursor *c);
uint64_t save_get64(struct save_cursor *c);
/* The next n bytes in place; NULL if there are fewer. */
const uint8_t *save_take(struct save_cursor *c, size_t n);
/* malloc'ed; NULL for none, and when `bad` or out of memory. */
char *save_get_string(struct save_cursor *c);

static inline size_t save_left(const struct save_cursor *c)
{
	return (size_t)(c->end - c->at);
}

#endif
