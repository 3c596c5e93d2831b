/* The smallest test there is: notes when it started, and succeeds.
 * usage: smallest RULE FILE; appends two native 64-bit numbers, the rule and nanoseconds of CLOCK_MONOTONIC.
 *
 * On x86-64 Linux it is built without a C library (-nostdlib): the library's start alone asks for so much
 * CPUID that in a virtual machine it costs more than all else of a run together. */
#include <fcntl.h>
#include <stdint.h>
#include <time.h>

#if defined(__linux__) && defined(__x86_64__) && defined(NO_LIBC)
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}
#define clock_gettime(clock, time) call(SYS_clock_gettime, clock, (long)(time), 0)
#define open(path, flags) (int)call(SYS_open, (long)(path), flags, 0)
#define write(fd, bytes, length) call(SYS_write, fd, (long)(bytes), length)
#else
#include <unistd.h>
#endif

static int test(int argc, char **argv)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (argc != 3)
		return 2;
	uint64_t record[2] = {0, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
	for (const char *digit = argv[1]; *digit; digit++)
		record[0] = record[0] * 10 + (uint64_t)(*digit - '0');
	int fd = open(argv[2], O_WRONLY | O_APPEND);
	return fd < 0 || write(fd, record, sizeof record) != sizeof record;
}

#if defined(__linux__) && defined(__x86_64__) && defined(NO_LIBC)
__attribute__((used)) static void begin(long *stack)
{
	call(SYS_exit_group, test((int)stack[0], (char **)(stack + 1)), 0, 0);
}
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tandq $-16, %rsp\n\tcall begin\n");
#else
int main(int argc, char **argv)
{
	return test(argc, argv);
}
#endif
