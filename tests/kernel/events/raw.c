// SPDX-License-Identifier: GPL-2.0-only
/* Messages no library would send. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct raw {
	struct mnl_socket *socket;
	uint16_t family;
	char text[256];		/* of the last answer */
};

static char buffer[65536] __attribute__((aligned(8)));

static struct nlmsghdr *request(const struct raw *raw, uint8_t cmd,
				uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	message->nlmsg_type = raw->family;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->nlmsg_seq = 1;
	genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return message;
}

/* Text of an extended acknowledgement. */
static void note_text(struct raw *raw, const struct nlmsghdr *message,
		      size_t offset)
{
	const struct nlattr *attr;

	raw->text[0] = 0;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, message, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(raw->text, sizeof(raw->text), "%s",
				 mnl_attr_get_str(attr));
}

/* Send and wait for the end of the answer: 0 or -errno, messages counted. */
static int ask(struct raw *raw, const struct nlmsghdr *message,
	       unsigned int *replies)
{
	const struct nlmsghdr *answer;
	const struct nlmsgerr *error;
	static char in[65536] __attribute__((aligned(8)));
	size_t offset;
	ssize_t n;
	int left;

	if (replies)
		*replies = 0;
	if (mnl_socket_sendto(raw->socket, message, message->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		n = mnl_socket_recvfrom(raw->socket, in, sizeof(in));
		if (n < 0)
			return -errno;
		left = n;
		for (answer = (void *)in; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left)) {
			if (answer->nlmsg_type == NLMSG_DONE) {
				note_text(raw, answer, sizeof(int));
				return *(int *)mnl_nlmsg_get_payload(answer);
			}
			if (answer->nlmsg_type != NLMSG_ERROR) {
				if (replies)
					++*replies;
				continue;
			}
			error = mnl_nlmsg_get_payload(answer);
			offset = sizeof(*error);
			if (!(answer->nlmsg_flags & NLM_F_CAPPED))
				offset += MNL_ALIGN(error->msg.nlmsg_len) -
					  sizeof(struct nlmsghdr);
			note_text(raw, answer, offset);
			return error->error;
		}
	}
}

static int family_id(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		*(uint16_t *)arg = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static struct raw raw_open(void)
{
	struct raw raw = { .family = GENL_ID_CTRL };
	struct nlmsghdr *message;
	struct timeval limit = { 20, 0 };
	int on = 1;

	raw.socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	ck_assert_ptr_nonnull(raw.socket);
	ck_assert_int_eq(mnl_socket_bind(raw.socket, 0, MNL_SOCKET_AUTOPID), 0);
	mnl_socket_setsockopt(raw.socket, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(raw.socket), SOL_SOCKET, SO_RCVTIMEO,
		   &limit, sizeof(limit));
	message = request(&raw, CTRL_CMD_GETFAMILY, 0);
	message->nlmsg_flags &= ~NLM_F_ACK;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, SEAL_GENL_NAME);
	ck_assert_int_gt(mnl_socket_sendto(raw.socket, message,
					   message->nlmsg_len), 0);
	ck_assert_int_gt(mnl_socket_recvfrom(raw.socket, buffer,
					     sizeof(buffer)), 0);
	message = (void *)buffer;
	ck_assert_uint_eq(message->nlmsg_type, GENL_ID_CTRL);
	mnl_attr_parse(message, sizeof(struct genlmsghdr), family_id,
		       &raw.family);
	return raw;
}

static int listen_with(struct raw *raw, int session, uint32_t events)
{
	struct nlmsghdr *message = request(raw, SEAL_CMD_LISTEN, 0);

	if (session != -1)
		mnl_attr_put_u32(message, SEAL_A_SESSION, session);
	if (events)
		mnl_attr_put_u32(message, SEAL_A_EVENTS, events);
	return ask(raw, message, NULL);
}

static int dump_with(struct raw *raw, int session, unsigned int *claims)
{
	struct nlmsghdr *message = request(raw, SEAL_CMD_CLAIM, NLM_F_DUMP);

	if (session != -1)
		mnl_attr_put_u32(message, SEAL_A_SESSION, session);
	return ask(raw, message, claims);
}

static void become_nobody(void)
{
	if (setresgid(ST_NOBODY, ST_NOBODY, ST_NOBODY) ||
	    setresuid(ST_NOBODY, ST_NOBODY, ST_NOBODY))
		_exit(9);
}

/* In a child: 0, or the line that did not hold. */
#define HOLDS(condition)			\
	do {					\
		if (!(condition)) {		\
			fprintf(stderr, "line %d: %s\n", __LINE__, raw.text); \
			_exit(1);		\
		}				\
	} while (0)

static void child_holds(pid_t pid)
{
	int status = st_wait_child(pid, 30);

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(who_may_ask)
{
	int dev = st_session(), null = open("/dev/null", O_RDONLY);
	struct raw raw = raw_open();
	unsigned int claims;
	pid_t pid;

	/* the capability, or a session */
	ck_assert_int_eq(listen_with(&raw, -1, 0), 0);
	ck_assert_int_eq(dump_with(&raw, -1, &claims), 0);
	ck_assert_uint_ge(claims, 1);
	ck_assert_int_eq(listen_with(&raw, dev, 0), 0);
	ck_assert_int_eq(dump_with(&raw, dev, &claims), 0);
	ck_assert_uint_ge(claims, 1);
	/* what is given must be right, capability or not */
	ck_assert_int_eq(listen_with(&raw, null, 0), -EBADF);
	ck_assert_msg(strstr(raw.text, "SESSION"), "text: '%s'", raw.text);
	ck_assert_int_eq(listen_with(&raw, 999, 0), -EBADF);
	ck_assert_int_eq(dump_with(&raw, null, &claims), -EBADF);
	ck_assert_uint_eq(claims, 0);

	pid = fork();
	if (!pid) {
		struct raw mine;

		become_nobody();
		/* a socket that was opened with the right does not carry it */
		HOLDS(listen_with(&raw, -1, 0) == -EPERM);
		mine = raw_open();
		HOLDS(listen_with(&mine, -1, 0) == -EPERM);
		raw = mine;
		HOLDS(strstr(raw.text, "CAP_LINUX_IMMUTABLE"));
		HOLDS(dump_with(&mine, -1, &claims) == -EPERM && !claims);
		/* a session, however one came by it */
		HOLDS(listen_with(&mine, dev, 0) == 0);
		HOLDS(dump_with(&mine, dev, &claims) == 0 && claims);
		_exit(0);
	}
	child_holds(pid);
	close(dev);
	close(null);
	mnl_socket_close(raw.socket);
}
END_TEST

/* In a user namespace root has every capability, and none that counts. */
START_TEST(not_in_a_namespace)
{
	pid_t pid = fork();

	if (!pid) {
		struct raw raw;

		become_nobody();
		if (unshare(CLONE_NEWUSER))
			_exit(errno == EPERM || errno == ENOSYS ? 77 : 1);
		raw = raw_open();
		HOLDS(listen_with(&raw, -1, 0) == -EPERM);
		HOLDS(dump_with(&raw, -1, NULL) == -EPERM);
		_exit(0);
	}
	child_holds(pid);
}
END_TEST

START_TEST(malformed)
{
	struct raw raw = raw_open();
	struct nlmsghdr *message;

	/* types and values */
	ck_assert_int_eq(listen_with(&raw, -1, 1U << 31), -EINVAL);
	ck_assert_msg(raw.text[0], "no text");
	ck_assert_int_eq(listen_with(&raw, -1, 1), -EINVAL);
	ck_assert_int_eq(listen_with(&raw, -2, 0), -ERANGE);
	ck_assert_msg(raw.text[0], "no text");
	message = request(&raw, SEAL_CMD_LISTEN, 0);
	mnl_attr_put_u64(message, SEAL_A_EVENTS, 4);
	ck_assert_int_lt(ask(&raw, message, NULL), 0);
	ck_assert_msg(raw.text[0], "no text");
	message = request(&raw, SEAL_CMD_LISTEN, 0);
	mnl_attr_put_u16(message, SEAL_A_EVENTS, 4);
	ck_assert_int_lt(ask(&raw, message, NULL), 0);

	/* attributes this command does not know, or nobody */
	message = request(&raw, SEAL_CMD_LISTEN, 0);
	mnl_attr_put_strz(message, SEAL_A_PATH, "/");
	ck_assert_int_eq(ask(&raw, message, NULL), -EINVAL);
	message = request(&raw, SEAL_CMD_CLAIM, NLM_F_DUMP);
	mnl_attr_put_u32(message, SEAL_A_EVENTS, 4);
	ck_assert_int_eq(ask(&raw, message, NULL), -EINVAL);
	message = request(&raw, SEAL_CMD_LISTEN, 0);
	mnl_attr_put_u32(message, 999, 4);
	ck_assert_int_eq(ask(&raw, message, NULL), -EINVAL);

	/* an attribute longer than the message; bytes behind the last one */
	message = request(&raw, SEAL_CMD_LISTEN, 0);
	mnl_attr_put_u32(message, SEAL_A_EVENTS, 4);
	((struct nlattr *)mnl_nlmsg_get_payload_offset(message,
		sizeof(struct genlmsghdr)))->nla_len = 4000;
	ck_assert_int_eq(ask(&raw, message, NULL), -EINVAL);
	message = request(&raw, SEAL_CMD_LISTEN, 0);
	message->nlmsg_len += 3;
	ck_assert_int_eq(ask(&raw, message, NULL), -EINVAL);

	/* commands that are none, or not for this */
	ck_assert_int_eq(ask(&raw, request(&raw, SEAL_CMD_EVENT, 0), NULL),
			 -EOPNOTSUPP);
	ck_assert_int_eq(ask(&raw, request(&raw, 200, 0), NULL), -EOPNOTSUPP);
	ck_assert_int_eq(ask(&raw, request(&raw, SEAL_CMD_CLAIM, 0), NULL),
			 -EOPNOTSUPP);
	ck_assert_int_eq(ask(&raw, request(&raw, SEAL_CMD_LISTEN, NLM_F_DUMP),
			     NULL), -EOPNOTSUPP);
	mnl_socket_close(raw.socket);
}
END_TEST

/* Anything at all: refused or not, the family still works afterwards. */
START_TEST(anything)
{
	struct raw raw = raw_open();
	struct timeval limit = { 0, 1000 };
	struct nlmsghdr *message;
	double start = st_now();
	unsigned int seed = 1, claims;
	int sent = 0;

	setsockopt(mnl_socket_get_fd(raw.socket), SOL_SOCKET, SO_RCVTIMEO,
		   &limit, sizeof(limit));
	while (st_goes_on(sent / 100, 20, start, 15)) {
		size_t length = rand_r(&seed) % 64;
		char *tail;

		message = request(&raw, rand_r(&seed) % 5,
				  rand_r(&seed) % 2 ? NLM_F_DUMP : 0);
		tail = (char *)buffer + message->nlmsg_len;
		for (size_t i = 0; i < length; i++)
			tail[i] = rand_r(&seed) % 4 ? rand_r(&seed) % 8 :
						      rand_r(&seed);
		message->nlmsg_len += length;
		ask(&raw, message, NULL);
		sent++;
	}
	mnl_socket_close(raw.socket);
	raw = raw_open();
	ck_assert_int_eq(dump_with(&raw, -1, &claims), 0);
	ck_assert_uint_ge(claims, 1);
	mnl_socket_close(raw.socket);
	printf("anything: %d messages\n", sent);
}
END_TEST

/* Buffers too small for what is dumped: the rest is not made up. */
START_TEST(small_buffers)
{
	struct raw raw = raw_open();
	struct nlmsghdr *message = request(&raw, SEAL_CMD_CLAIM, NLM_F_DUMP);
	char small[16];
	ssize_t n;

	ck_assert_int_gt(mnl_socket_sendto(raw.socket, message,
					   message->nlmsg_len), 0);
	n = recv(mnl_socket_get_fd(raw.socket), small, sizeof(small),
		 MSG_TRUNC);
	ck_assert_int_gt(n, (ssize_t)sizeof(small));
	mnl_socket_close(raw.socket);
}
END_TEST

/* The names of the family must not load the module for everybody. */
START_TEST(no_alias)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "modinfo -F alias %s/module/seal.ko | grep -q net-pf-16",
		 st_env("SEAL_TREE"));
	ck_assert_int_ne(system(command), 0);
}
END_TEST

/*
 * A socket can have the number of another one that is just being closed, before the
 * module is told that it is.
 */
#define NUMBER	0x41414141

static int numbered(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = NUMBER };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	const struct timeval limit = { 20, 0 };

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!bind(fd, (void *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static int numbered_listen(const struct raw *raw, int fd)
{
	const struct nlmsghdr *message = request(raw, SEAL_CMD_LISTEN, 0);
	struct nlmsghdr *in;
	static char answer[8192] __attribute__((aligned(8)));

	if (send(fd, message, message->nlmsg_len, 0) < 0)
		return -errno;
	in = (void *)answer;
	in->nlmsg_type = 0;
	/* events can come first, and so many that there is no room for the answer */
	do {
		if (recv(fd, answer, sizeof(answer), 0) < 0 && errno != ENOBUFS)
			return -errno;
		if (in->nlmsg_type == raw->family)
			return 0;
	} while (in->nlmsg_type != NLMSG_ERROR);
	return ((struct nlmsgerr *)mnl_nlmsg_get_payload(in))->error;
}

/* Listens, and closes the socket, over and over. */
static pid_t listener_start(const struct raw *raw)
{
	pid_t pid = fork();
	int fd;

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int n = 0; ; n++) {
		fd = numbered();
		if (fd < 0) {
			sched_yield();
			continue;
		}
		numbered_listen(raw, fd);
		usleep(n * 37 % 1500);
		close(fd);
		usleep(n * 53 % 2000);
	}
}

/* Has a truncation of the sealed file @fd refused, over and over. */
static pid_t refused_start(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (ftruncate(fd, 0))
		usleep(100);
	_exit(1);
}

/* How often there was a message of the module for who asked for none. */
static unsigned int overhear(const struct raw *raw, double end,
			     unsigned int *bound)
{
	unsigned int heard = 0;
	ssize_t n;
	int fd;

	for (*bound = 0; st_now() < end; close(fd)) {
		fd = numbered();
		if (fd < 0)
			continue;
		++*bound;
		usleep(300);
		n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		heard += n > 0 &&
			 ((struct nlmsghdr *)buffer)->nlmsg_type == raw->family;
	}
	return heard;
}

/* How often there was no event for who asked for all. */
static unsigned int listen_in_vain(const struct raw *raw, double end,
				   unsigned int *bound)
{
	unsigned int deaf = 0;
	struct pollfd in = { .events = POLLIN };

	for (*bound = 0; st_now() < end && !deaf; close(in.fd)) {
		in.fd = numbered();
		if (in.fd < 0)
			continue;
		++*bound;
		ck_assert_int_eq(numbered_listen(raw, in.fd), 0);
		deaf += poll(&in, 1, 5000) <= 0;
	}
	return deaf;
}

START_TEST(number_of_a_closed_one)
{
	struct raw raw = raw_open();
	int fd = st_create_written("numbers", 65536), dev = st_session();
	unsigned int heard, deaf, spied, listened;
	pid_t listener, refused;

	st_seal(dev, fd);
	listener = listener_start(&raw);
	refused = refused_start(fd);
	heard = overhear(&raw, st_now() + 10, &spied);
	printf("the number of a closed one: had %u times, %u messages that nobody asked for\n",
	       spied, heard);
	ck_assert_uint_gt(spied, 0);
	ck_assert_uint_eq(heard, 0);
	deaf = listen_in_vain(&raw, st_now() + 10, &listened);
	kill(listener, SIGKILL);
	waitpid(listener, NULL, 0);
	ck_assert_int_eq(waitpid(refused, NULL, WNOHANG), 0);
	kill(refused, SIGKILL);
	waitpid(refused, NULL, 0);
	printf("the number of a closed one: listened %u times, %u in vain\n",
	       listened, deaf);
	ck_assert_uint_gt(listened, 0);
	ck_assert_uint_eq(deaf, 0);
	mnl_socket_close(raw.socket);
	close(dev);
	close(fd);
}
END_TEST

static TCase *events_raw(void)
{
	TCase *tc = tcase_create("raw");

	tcase_set_timeout(tc, st_limit(90));
	tcase_add_test(tc, who_may_ask);
	tcase_add_test(tc, not_in_a_namespace);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, anything);
	tcase_add_test(tc, small_buffers);
	tcase_add_test(tc, no_alias);
	tcase_add_test(tc, number_of_a_closed_one);
	return tc;
}

ST_CASE(raw, events_raw, ST_HERE);
