/* The smallest test there is: notes when it started, and succeeds.
 * usage: smallest RULE FILE; appends two native 64-bit numbers, the rule and nanoseconds of CLOCK_MONOTONIC. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (argc != 3)
		return 2;
	uint64_t record[2] = {strtoull(argv[1], 0, 10), (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec};
	int fd = open(argv[2], O_WRONLY | O_APPEND);
	return fd < 0 || write(fd, record, sizeof record) != sizeof record;
}
