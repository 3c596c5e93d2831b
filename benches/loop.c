/* The bare cost of what hfm probe does: connect, send a request, read an answer, reset; so many times, one
 * after the other, blocking. Prints the nanoseconds of each on average.
 *
 * usage: loop PORT COUNT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char request[] =
	    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nConnection: close\r\n\r\n";
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct timespec from, until;
	char answer[16384];
	long count;

	if (argc != 3)
		return 2;
	to.sin_port = htons((unsigned short)atoi(argv[1]));
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	count = atol(argv[2]);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
			return 1;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		if (send(fd, request, sizeof request - 1, 0) < 0)
			return 1;
		if (recv(fd, answer, sizeof answer, 0) < 12 || memcmp(answer + 9, "200", 3) != 0)
			return 1;
		close(fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	printf("%ld\n", ((until.tv_sec - from.tv_sec) * 1000000000L + until.tv_nsec - from.tv_nsec) / count);
	return 0;
}
