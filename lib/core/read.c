// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files that are sealed only to be read, without hurting a writer.
 *
 * The kernel grants a read lease (fcntl(2), F_SETLEASE) only if no program has
 * the file open for writing. A program that then opens the file for writing, or
 * truncates it by its name, waits in that call until the lease is given back,
 * and the holder of the lease gets a signal. A thread waits for the signal: it
 * drops the seals first and then the leases, so the writer goes on with a file
 * that is not sealed. seal_read_check() tells the reader that the data it has
 * read do not belong to one instant.
 *
 * The lease is taken before the seal. A writer that comes while the files are
 * being sealed waits until that has ended; then the seals are dropped at once.
 *
 * A file for which there is no lease can be sealed all the same if all of it is
 * in place, because then no write to existing blocks is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/private.h"
#include "core/writer.h"

/* The watcher needs little stack, and the process may be short of memory. */
#define STACK_BYTES (128 * 1024)

#define ALL_IN_PLACE (SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED)

struct read_file {
	int fd;			/* a description of our own, for the lease */
	bool leased;
	int error;		/* why there was no lease */
};

struct seal_read {
	struct seal_session *session;
	struct read_file *files;
	unsigned int nr;
	pthread_t watcher;
	bool watched;
	pthread_mutex_t lock;
	pthread_cond_t ready;
	pid_t tid;		/* of the watcher, 0: not running yet */
	bool sealed;
	bool lost;		/* a program wants to write */
	bool stop;
};

/*
 * Drop the seals first: once the leases are gone, a writer goes on and must not
 * meet a seal. Called with reading->lock held.
 */
static void let_go(struct seal_read *reading)
{
	unsigned int i;

	for (i = 0; reading->sealed && i < reading->nr; i++)
		seal_unseal(reading->session, reading->files[i].fd, 0);
	reading->sealed = false;
	for (i = 0; i < reading->nr; i++) {
		if (reading->files[i].leased)
			fcntl(reading->files[i].fd, F_SETLEASE, F_UNLCK);
		reading->files[i].leased = false;
	}
}

/* F_GETLEASE returns F_RDLCK as long as no program wants to write. */
static bool somebody_waits(const struct seal_read *reading)
{
	unsigned int i;

	for (i = 0; i < reading->nr; i++)
		if (reading->files[i].leased &&
		    fcntl(reading->files[i].fd, F_GETLEASE) != F_RDLCK)
			return true;
	return false;
}

static void *watch(void *arg)
{
	struct seal_read *reading = arg;
	sigset_t wanted;
	int sig;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGIO);
	pthread_mutex_lock(&reading->lock);
	reading->tid = gettid();
	pthread_cond_signal(&reading->ready);
	pthread_mutex_unlock(&reading->lock);
	for (;;) {
		sigwait(&wanted, &sig);
		pthread_mutex_lock(&reading->lock);
		if (somebody_waits(reading)) {
			reading->lost = true;
			/* If they are being sealed, settle() looks at lost. */
			if (reading->sealed)
				let_go(reading);
		}
		if (reading->stop)
			break;
		pthread_mutex_unlock(&reading->lock);
	}
	pthread_mutex_unlock(&reading->lock);
	return NULL;
}

/*
 * The watcher has all signals blocked, so that it takes none of the signals
 * that are meant for the program.
 */
static int start_watcher(struct seal_read *reading)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&reading->watcher, &attr, watch, reading);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (ret)
		return -ret;
	reading->watched = true;
	pthread_mutex_lock(&reading->lock);
	while (!reading->tid)
		pthread_cond_wait(&reading->ready, &reading->lock);
	pthread_mutex_unlock(&reading->lock);
	return 0;
}

static void stop_watcher(struct seal_read *reading)
{
	if (!reading->watched)
		return;
	pthread_mutex_lock(&reading->lock);
	reading->stop = true;
	pthread_mutex_unlock(&reading->lock);
	pthread_kill(reading->watcher, SIGIO);
	pthread_join(reading->watcher, NULL);
	reading->watched = false;
}

/*
 * The lease is on a file description of our own: the caller's may be open for
 * writing and then cannot have a lease, and its owner for signals must not
 * change. The owner is set before the lease, because SIGIO to the whole process
 * would end the process.
 */
static int lease(struct seal_read *reading, struct read_file *file, int fd)
{
	const struct f_owner_ex owner = { F_OWNER_TID, reading->tid };
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->fd < 0) {
		/* Without a lease, seal by the caller's description. */
		file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		return file->fd < 0 ? -errno : -EACCES;
	}
	if (fcntl(file->fd, F_SETOWN_EX, &owner) < 0)
		return -errno;
	if (fcntl(file->fd, F_SETLEASE, F_RDLCK) < 0)
		return -errno;
	pthread_mutex_lock(&reading->lock);
	file->leased = true;
	pthread_mutex_unlock(&reading->lock);
	return 0;
}

/* Is all of the file in place, so that no write inside it is refused? */
static bool all_in_place(struct seal_read *reading,
			 const struct read_file *file)
{
	struct seal_status status;

	return !seal_status(reading->session, file->fd, &status) &&
	       (status.met & ALL_IN_PLACE) == ALL_IN_PLACE;
}

static int refuse(struct seal_files *report, unsigned int index, int fd,
		  int error)
{
	report->bad_index = index;
	if (error == -EAGAIN)
		writer_describe(fd, (char *)report->reason,
				sizeof(report->reason));
	else
		snprintf((char *)report->reason, sizeof(report->reason),
			 "perhaps open for writing, %s: no lease (%s)",
			 error == -EACCES ? "which only its owner and root are told" :
					    "which its filesystem does not tell",
			 strerror(-error));
	return -ETXTBSY;
}

static int lease_all(struct seal_read *reading, const int *fds,
		     struct seal_files *report)
{
	unsigned int i;
	int ret;

	for (i = 0; i < reading->nr; i++) {
		ret = lease(reading, &reading->files[i], fds[i]);
		if (reading->files[i].fd < 0)
			return ret;
		reading->files[i].error = ret;
		if (ret && !all_in_place(reading, &reading->files[i]))
			return refuse(report, i, fds[i], ret);
	}
	return 0;
}

/* The files are sealed. Has a program asked to write to one meanwhile? */
static int settle(struct seal_read *reading, const int *fds,
		  struct seal_files *report)
{
	unsigned int i;
	int ret = 0;

	pthread_mutex_lock(&reading->lock);
	reading->sealed = true;
	/*
	 * A signal that is still on its way is no loss: the watcher gets it
	 * and drops the seals.
	 */
	if (reading->lost)
		ret = -EBUSY;
	for (i = 0; !ret && i < reading->nr; i++)
		if (!reading->files[i].leased &&
		    !all_in_place(reading, &reading->files[i]))
			ret = refuse(report, i, fds[i], -EAGAIN);
	if (ret)
		let_go(reading);
	pthread_mutex_unlock(&reading->lock);
	if (ret == -EBUSY)
		snprintf((char *)report->reason, sizeof(report->reason),
			 "a program opened a file for writing meanwhile");
	return ret;
}

static int seal_all(struct seal_read *reading, const int *fds,
		    struct seal_files *report)
{
	int *own = calloc(reading->nr, sizeof(*own));
	unsigned int i;
	int ret;

	if (!own)
		return -ENOMEM;
	for (i = 0; i < reading->nr; i++)
		own[i] = reading->files[i].fd;
	ret = seal_files(reading->session, own, reading->nr, 0, 0, 0, report);
	free(own);
	return ret ? ret : settle(reading, fds, report);
}

static struct seal_read *new_reading(unsigned int nr)
{
	struct seal_read *new = calloc(1, sizeof(*new));
	unsigned int i;

	if (!new)
		return NULL;
	new->files = calloc(nr, sizeof(new->files[0]));
	if (!new->files) {
		free(new);
		return NULL;
	}
	for (i = 0; i < nr; i++)
		new->files[i].fd = -1;
	new->nr = nr;
	pthread_mutex_init(&new->lock, NULL);
	pthread_cond_init(&new->ready, NULL);
	return new;
}

static int open_reading(const int *fds, unsigned int nr,
			struct seal_read **reading, struct seal_files *report)
{
	struct seal_read *new;
	int ret;

	if (!nr || nr > SEAL_MAX_FILES)
		return -EINVAL;
	new = new_reading(nr);
	if (!new)
		return -ENOMEM;
	ret = seal_open(&new->session);
	if (!ret)
		ret = start_watcher(new);
	if (!ret)
		ret = lease_all(new, fds, report);
	if (!ret)
		ret = seal_all(new, fds, report);
	if (ret) {
		seal_read_close(new);
		return ret;
	}
	*reading = new;
	return 0;
}

SEAL_EXPORT int seal_read_open_sized(const int *fds, unsigned int nr,
				     struct seal_read **reading,
				     struct seal_files *report, size_t size)
{
	struct seal_files whole = {
		.size = sizeof(whole),
		.bad_index = SEAL_NO_INDEX,
	};
	int ret = open_reading(fds, nr, reading, &whole);

	if (report)
		seal_give(report, size, &whole, sizeof(whole));
	return ret;
}

SEAL_EXPORT int seal_read_check(struct seal_read *reading)
{
	bool lost;

	pthread_mutex_lock(&reading->lock);
	lost = reading->lost;
	pthread_mutex_unlock(&reading->lock);
	return lost ? -EBUSY : 0;
}

/*
 * Is the file @fd, number @index, one that nobody can write to unnoticed? One that is
 * all in place need not be.
 */
int read_only(const struct seal_read *reading, unsigned int index, int fd,
	      struct seal_files *report)
{
	int error = reading->files[index].error;

	return error ? refuse(report, index, fd, error) : 0;
}

SEAL_EXPORT struct seal_session *seal_read_session(const struct seal_read *reading)
{
	return reading->session;
}

SEAL_EXPORT void seal_read_close(struct seal_read *reading)
{
	unsigned int i;

	if (!reading)
		return;
	stop_watcher(reading);
	pthread_mutex_lock(&reading->lock);
	let_go(reading);
	pthread_mutex_unlock(&reading->lock);
	seal_close(reading->session);
	for (i = 0; i < reading->nr; i++)
		if (reading->files[i].fd >= 0)
			close(reading->files[i].fd);
	pthread_cond_destroy(&reading->ready);
	pthread_mutex_destroy(&reading->lock);
	free(reading->files);
	free(reading);
}
