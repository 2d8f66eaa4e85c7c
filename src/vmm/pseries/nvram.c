/*
 * Non-volatile memory. It comes formatted as CHRP partitions (CHRP System Binding, 8): one free
 * partition that spans it, out of which the guest makes its own.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mem/endian.h"
#include "vmm/pseries/pseries.h"

struct nvram {
	pthread_mutex_t lock;
	uint8_t data[NVRAM_SIZE];
};

/* Partition header: signature, checksum, length in units of 16 bytes, name. */
#define HEADER_SIZE    16
#define SIGNATURE_FREE 0x7f
#define FREE_NAME_BYTE 0x77

/* One's-complement sum of the header's bytes but the checksum itself. */
static uint8_t header_checksum(const uint8_t *h)
{
	unsigned sum = h[0];

	for (unsigned i = 2; i < HEADER_SIZE; i++) {
		sum += h[i];
		sum = (sum & 0xff) + (sum >> 8);
	}
	return (uint8_t)sum;
}

struct nvram *nvram_create(void)
{
	struct nvram *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	pthread_mutex_init(&n->lock, NULL);
	n->data[0] = SIGNATURE_FREE;
	st_be16(n->data + 2, NVRAM_SIZE / 16);
	memset(n->data + 4, FREE_NAME_BYTE, HEADER_SIZE - 4);
	n->data[1] = header_checksum(n->data);
	return n;
}

void nvram_destroy(struct nvram *n)
{
	if (!n)
		return;
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static bool in_range(uint64_t offset, uint64_t len)
{
	return offset <= NVRAM_SIZE && len <= NVRAM_SIZE - offset;
}

bool nvram_read(struct nvram *n, uint64_t offset, void *to, uint64_t len)
{
	if (!in_range(offset, len))
		return false;
	pthread_mutex_lock(&n->lock);
	memcpy(to, n->data + offset, len);
	pthread_mutex_unlock(&n->lock);
	return true;
}

bool nvram_write(struct nvram *n, uint64_t offset, const void *from, uint64_t len)
{
	if (!in_range(offset, len))
		return false;
	pthread_mutex_lock(&n->lock);
	memcpy(n->data + offset, from, len);
	pthread_mutex_unlock(&n->lock);
	return true;
}
