/*
 * Arguments of ioctls. The kernel's copy_from_user gives -EFAULT for a bad pointer; here caller and
 * hypervisor share the address space, and process_vm_readv on the own process is the call
 * that checks an address without the risk of a signal. Where a sandbox forbids it, plain copies do,
 * and a bad pointer is the caller's crash.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kvm/internal.h"

static int copy_checked(void *dst, const void *src, size_t size, bool src_is_user)
{
	struct iovec local = {.iov_base = src_is_user ? dst : (void *)(uintptr_t)src,
			      .iov_len = size};
	struct iovec user = {.iov_base = src_is_user ? (void *)(uintptr_t)src : dst,
			     .iov_len = size};
	ssize_t n;

	if (src_is_user)
		n = process_vm_readv(getpid(), &local, 1, &user, 1, 0);
	else
		n = process_vm_writev(getpid(), &local, 1, &user, 1, 0);
	if (n == (ssize_t)size)
		return 0;
	if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
		memcpy(dst, src, size);
		return 0;
	}
	return -EFAULT;
}

int kvm_copy_in(void *dst, const void *user, size_t size)
{
	if (!user)
		return -EFAULT;
	return copy_checked(dst, user, size, true);
}

int kvm_copy_out(void *user, const void *src, size_t size)
{
	if (!user)
		return -EFAULT;
	return copy_checked(user, src, size, false);
}
