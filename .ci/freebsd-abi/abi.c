/* Holds every fact of abi.h against FreeBSD's own headers; ERA is the release that they are of, 14 or 15. */

/* DIOCGETSTATES: 15's kernels answer it when they are built with this, as GENERIC is. */
#define COMPAT_FREEBSD14

#include <sys/param.h>
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/ioctl.h>
#include <sys/nv.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <net/if.h>
#include <netinet/in.h>
#include <net/pfvar.h>

#include <stddef.h>

#ifndef __FreeBSD__
#error "these are not FreeBSD's headers"
#endif
#if ERA >= 15 && defined(DIOCKILLSTATES)
#error "DIOCKILLSTATES: abi.h says that FreeBSD 15 does not have it"
#endif

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type);
#define OFFSET(type, member, bytes) _Static_assert(offsetof(type, member) == (bytes), #type ": " #member);
#define NUMBER(constant, value) _Static_assert((constant) == (value), #constant);
#if ERA >= 15
#define NUMBER_UNTIL_14(constant, value)
#else
#define NUMBER_UNTIL_14(constant, value) NUMBER(constant, value)
#endif

#include "abi.h"
