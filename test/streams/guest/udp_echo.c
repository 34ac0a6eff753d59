/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the guest, whose busybox has no UDP server: sends back every datagram.
 * Needs no library, so that it is small enough to be brought there.
 *     udp-echo PORT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    static char data[65536];
    struct sockaddr_in a = { .sin_family = AF_INET };

    if (argc != 2)
        return 2;
    a.sin_port = htons((in_port_t)strtoul(argv[1], NULL, 10));
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return 1;
    for (;;) {
        socklen_t len = sizeof(a);
        ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&a, &len);

        if (n >= 0)
            (void)sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&a, len);
    }
}
