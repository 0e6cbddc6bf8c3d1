// SPDX-License-Identifier: GPL-2.0-only
/* /dev/seal: decodes the ioctls of uapi/seal.h. */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/mode.h"
#include "changes/commit.h"
#include "changes/grant.h"
#include "changes/prepare.h"
#include "device.h"
#include "gates/filesystems.h"
#include "map/map.h"
#include "probes/fs.h"
#include "query.h"
#include "sealing/release.h"
#include "sealing/sealing.h"
#include "table/claim.h"
#include "uapi/seal.h"
#include "uapi/seal_netlink.h"

static int device_open(struct inode *inode, struct file *file)
{
	struct seal_session *session;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return -ENOMEM;
	seal_session_init(session);
	file->private_data = session;
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	struct seal_session *session = file->private_data;

	seal_session_close(session, current->flags & PF_EXITING ?
				    SEAL_WHY_EXIT : SEAL_WHY_CLOSE);
	return 0;
}

/*
 * Copy a structure in. It begins with its size as the caller knows it, which
 * goes to @usize; @ksize_v1 is the size of its first version.
 */
static int get_struct(void *to, size_t ksize, size_t ksize_v1,
		      void __user *from, u32 *usize)
{
	if (get_user(*usize, (u32 __user *)from))
		return -EFAULT;
	if (*usize < ksize_v1)
		return -EINVAL;
	if (*usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, ksize, from, *usize);
}

/* Copy a structure out again, as much of it as the caller knows. */
static int put_struct(void __user *to, const void *from, size_t ksize,
		      u32 usize)
{
	return copy_to_user(to, from, min_t(size_t, ksize, usize)) ?
	       -EFAULT : 0;
}

/* The regular file of a descriptor, if the caller may seal it. */
static struct file *get_file_arg(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (!S_ISREG(file_inode(file)->i_mode)) {
		fput(file);
		return ERR_PTR(-EOPNOTSUPP);
	}
	if (!seal_owner_or_capable(file)) {
		fput(file);
		return ERR_PTR(-EPERM);
	}
	return file;
}

static int info_fs(struct seal_fs *fs, struct seal_fs_info *info)
{
	struct seal_limit limit;
	int state;

	memset(info, 0, sizeof(*info));
	strscpy(info->name, fs->name, sizeof(info->name));
	seal_limit_start(&limit, info->reason);
	state = seal_fs_probe(fs, &limit);
	if (state < 0)
		return state;
	info->state = state;
	info->gates = seal_fs_nr_gates(fs);
	info->attached = seal_fs_attached(fs);
	info->sealed = atomic_read(&fs->sealed);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static long ioctl_info(struct seal_session *session, void __user *arg)
{
	struct seal_info info = { };
	struct seal_fs_info fs_info;
	u32 usize, room, i;
	int ret;

	ret = get_struct(&info, sizeof(info), sizeof(info), arg, &usize);
	if (ret)
		return ret;

	room = min(info.nr_fs, seal_nr_filesystems);
	if (!info.fs)
		room = 0;
	for (i = 0; i < room; i++) {
		void __user *to = u64_to_user_ptr(info.fs);

		ret = info_fs(&seal_filesystems[i], &fs_info);
		if (ret)
			return ret;
		if (copy_to_user(to + i * sizeof(fs_info), &fs_info,
				 sizeof(fs_info)))
			return -EFAULT;
	}

	info.size = sizeof(info);
	info.abi = SEAL_ABI_VERSION;
	info.features = SEAL_FEATURE_STICKY | SEAL_FEATURE_EVENTS |
			SEAL_FEATURE_REVOKE | SEAL_FEATURE_RECALL |
			SEAL_FEATURE_UNSEAL_CLAIM | SEAL_FEATURE_PLACES |
			SEAL_FEATURE_GRANT;
	if (IS_ENABLED(CONFIG_SEAL_DEBUG))
		info.features |= SEAL_FEATURE_DEBUG;
	for (i = 0; i < seal_nr_filesystems; i++) {
		if (seal_fs_attached(&seal_filesystems[i]) &&
		    !seal_gates_armed(&seal_filesystems[i])) {
			info.flags |= SEAL_INFO_DISARMED;
			break;
		}
	}
	if (seal_is_disabled())
		info.flags |= SEAL_INFO_DISABLED;
	if (seal_is_log_only())
		info.flags |= SEAL_INFO_LOG_ONLY;
	info.nr_fs = seal_nr_filesystems;
	strscpy(info.version, SEAL_VERSION, sizeof(info.version));
	return put_struct(arg, &info, sizeof(info), usize);
}

static long ioctl_range(struct seal_session *session, void __user *arg,
			bool unshare)
{
	struct seal_range_op op = { };
	char reason[SEAL_REASON_LEN];
	struct seal_limit limit;
	struct file *file;
	u32 usize;
	int ret;

	ret = get_struct(&op, sizeof(op), sizeof(op), arg, &usize);
	if (ret)
		return ret;
	if (op.flags & ~(unshare ? 0 : SEAL_PREALLOC_ALL))
		return -EINVAL;
	if (op.reserved)
		return -EINVAL;
	if (seal_is_disabled())
		return -EOPNOTSUPP;
	file = get_file_arg(op.fd);
	if (IS_ERR(file))
		return PTR_ERR(file);

	ret = seal_session_check(session, file_inode(file));
	seal_limit_start(&limit, reason);
	if (!ret)
		ret = seal_map_get(&limit);
	if (!ret) {
		if (unshare)
			ret = seal_unshare_step(file, op.offset, op.length,
						&op.done);
		else
			ret = seal_prealloc_step(file, op.flags, op.offset,
						 op.length, &op.done);
		seal_map_put();
	}
	fput(file);
	if (ret)
		return ret;
	return put_struct(arg, &op, sizeof(op), usize);
}

static long ioctl_seal(struct seal_session *session, void __user *arg)
{
	struct seal_request *req = NULL;
	struct seal_files *files;
	s32 *fds = NULL;
	u32 usize, i;
	int ret, err;

	files = kzalloc(sizeof(*files), GFP_KERNEL_ACCOUNT);
	if (!files)
		return -ENOMEM;
	ret = get_struct(files, sizeof(*files), sizeof(*files), arg, &usize);
	if (ret)
		goto out_free;
	ret = -EINVAL;
	if (files->flags & ~SEAL_SEAL_ALL || files->require & ~SEAL_REQ_ALL ||
	    !files->nr_fds || files->nr_fds > SEAL_MAX_FILES ||
	    (files->max_extents && !(files->require & SEAL_REQ_EXTENTS)))
		goto out_free;
	if (files->flags & SEAL_SEAL_RECALL ?
	    !files->recall_ms || files->recall_ms > SEAL_RECALL_MAX_MS ||
	    files->flags & SEAL_SEAL_STICKY : files->recall_ms)
		goto out_free;
	ret = -EPERM;
	if (files->flags & SEAL_SEAL_STICKY && !capable(CAP_LINUX_IMMUTABLE))
		goto out_free;
	/* if the results cannot be returned, nothing must happen */
	ret = put_struct(arg, files, sizeof(*files), usize);
	if (ret)
		goto out_free;

	fds = memdup_user(u64_to_user_ptr(files->fds),
			  files->nr_fds * sizeof(*fds));
	if (IS_ERR(fds)) {
		ret = PTR_ERR(fds);
		fds = NULL;
		goto out_free;
	}
	ret = -ENOMEM;
	req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);
	if (!req)
		goto out_free;
	req->files = kcalloc(files->nr_fds, sizeof(*req->files),
			     GFP_KERNEL_ACCOUNT);
	if (!req->files)
		goto out_free;
	req->require = files->require;
	req->max_extents = files->max_extents;
	req->sticky = files->flags & SEAL_SEAL_STICKY;
	req->recall_ms = files->recall_ms;

	req->bad_index = SEAL_NO_INDEX;
	for (i = 0; i < files->nr_fds; i++) {
		req->files[i] = fget(fds[i]);
		if (!req->files[i]) {
			ret = -EBADF;
			req->bad_index = i;
			strscpy(req->reason, "not an open file, or opened with O_PATH",
				sizeof(req->reason));
			break;
		}
		req->nr++;
	}
	if (req->nr == files->nr_fds)
		ret = seal_claim_files(session, req);
	for (i = 0; i < req->nr; i++)
		fput(req->files[i]);

	if (ret) {
		files->bad_index = req->bad_index;
		files->bad_state = req->bad_state;
		files->bad_require = req->bad_require;
		files->bad_offset = req->bad_offset;
		files->bad_length = req->bad_length;
		memcpy(files->reason, req->reason, sizeof(files->reason));
		err = put_struct(arg, files, sizeof(*files), usize);
		if (err)
			ret = err;
	}
out_free:
	if (req)
		kfree(req->files);
	kfree(req);
	kfree(fds);
	kfree(files);
	return ret;
}

static long ioctl_unseal(struct seal_session *session, void __user *arg)
{
	struct seal_unseal unseal = { };
	struct file *file;
	u32 usize;
	int ret;

	ret = get_struct(&unseal, sizeof(unseal),
			 offsetof(struct seal_unseal, claim), arg, &usize);
	if (ret)
		return ret;
	if (unseal.flags & ~SEAL_UNSEAL_ALL || unseal.reserved)
		return -EINVAL;
	if (unseal.flags & SEAL_UNSEAL_CLAIM) {
		if (unseal.flags != SEAL_UNSEAL_CLAIM || unseal.fd != -1)
			return -EINVAL;
	} else if (unseal.claim) {
		return -EINVAL;
	}
	if (unseal.flags && !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (unseal.flags & SEAL_UNSEAL_CLAIM)
		return seal_unclaim_number(unseal.claim);
	file = get_file_arg(unseal.fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (unseal.flags & SEAL_UNSEAL_STICKY)
		ret = seal_unclaim_sticky(file_inode(file));
	else
		ret = seal_unclaim(session, file_inode(file));
	fput(file);
	return ret;
}

static long ioctl_revoke(struct seal_session *session, void __user *arg)
{
	struct seal_revoke revoke = { };
	struct file *file;
	u32 usize;
	int ret, err;

	ret = get_struct(&revoke, sizeof(revoke), sizeof(revoke), arg, &usize);
	if (ret)
		return ret;
	if (revoke.flags)
		return -EINVAL;
	if (!capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	file = get_file_arg(revoke.fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	/* if the results cannot be returned, nothing must happen */
	ret = put_struct(arg, &revoke, sizeof(revoke), usize);
	if (!ret) {
		ret = seal_revoke(file_inode(file), &revoke.holders);
		err = put_struct(arg, &revoke, sizeof(revoke), usize);
		if (err)
			ret = err;
	}
	fput(file);
	return ret;
}

static long ioctl_status(struct seal_session *session, void __user *arg)
{
	struct seal_status status = { };
	struct file *file;
	u32 usize, ask;
	int fd, ret;

	ret = get_struct(&status, sizeof(status),
			 offsetofend(struct seal_status, broken), arg, &usize);
	if (ret)
		return ret;
	if (status.reserved || status.reserved2 || status.ask & ~SEAL_ASK_ALL)
		return -EINVAL;
	fd = status.fd;
	ask = status.ask;
	file = get_file_arg(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	/* clear the results, whatever the caller left there */
	memset(&status, 0, sizeof(status));
	status.size = sizeof(status);
	status.fd = fd;
	status.ask = ask;
	ret = seal_query(session, file, &status);
	fput(file);
	if (ret)
		return ret;
	return put_struct(arg, &status, sizeof(status), usize);
}

static long ioctl_places(struct seal_session *session, void __user *arg)
{
	struct seal_places places = { };
	struct file *file;
	u32 usize, room;
	int ret, err;

	ret = get_struct(&places, sizeof(places), sizeof(places), arg, &usize);
	if (ret)
		return ret;
	room = places.nr_extents;
	if (places.flags || !room || room > SEAL_PLACES_MAX_EXTENTS)
		return -EINVAL;
	file = get_file_arg(places.fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	/* clear the results, whatever the caller left there */
	places.nr_extents = 0;
	memset(places.reason, 0, sizeof(places.reason));
	ret = seal_query_places(session, file, &places, room);
	fput(file);
	err = put_struct(arg, &places, sizeof(places), usize);
	return err ?: ret;
}

static long ioctl_grant(struct seal_session *session, void __user *arg)
{
	const u32 grow = SEAL_GRANT_ALLOCATE | SEAL_GRANT_EXTEND;
	struct seal_grant_extent *extents = NULL;
	struct seal_grant *grant;
	struct file *file;
	u32 usize, room;
	int ret, err;

	grant = kzalloc(sizeof(*grant), GFP_KERNEL_ACCOUNT);
	if (!grant)
		return -ENOMEM;
	ret = get_struct(grant, sizeof(*grant), sizeof(*grant), arg, &usize);
	if (ret)
		goto out_free;
	room = grant->nr_extents;
	ret = -EINVAL;
	if (grant->flags & ~SEAL_GRANT_ALL || grant->reserved ||
	    (grant->flags & SEAL_GRANT_WRITTEN && grant->flags & grow) ||
	    room < SEAL_GRANT_MIN_EXTENTS || room > SEAL_GRANT_MAX_EXTENTS)
		goto out_free;
	ret = -EPERM;
	if (grant->flags & SEAL_GRANT_TAKEOVER && !capable(CAP_LINUX_IMMUTABLE))
		goto out_free;
	/* if the results cannot be returned, nothing must happen */
	ret = put_struct(arg, grant, sizeof(*grant), usize);
	if (ret)
		goto out_free;
	if (clear_user(u64_to_user_ptr(grant->extents),
		       room * sizeof(*extents))) {
		ret = -EFAULT;
		goto out_free;
	}
	ret = -ENOMEM;
	extents = kvcalloc(room, sizeof(*extents), GFP_KERNEL_ACCOUNT);
	if (!extents)
		goto out_free;
	file = get_file_arg(grant->fd);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret)
		goto out_free;

	/* clear the results, whatever the caller left there */
	grant->done = 0;
	grant->bad_offset = 0;
	grant->bad_length = 0;
	grant->bad_state = 0;
	memset(grant->reason, 0, sizeof(grant->reason));
	ret = seal_grant_blocks(session, file, grant, extents);
	if (ret)
		grant->nr_extents = 0;
	fput(file);
	if (copy_to_user(u64_to_user_ptr(grant->extents), extents,
			 grant->nr_extents * sizeof(*extents)))
		ret = -EFAULT;
	err = put_struct(arg, grant, sizeof(*grant), usize);
	if (err)
		ret = err;
out_free:
	kvfree(extents);
	kfree(grant);
	return ret;
}

static long ioctl_commit(struct seal_session *session, void __user *arg)
{
	struct seal_commit_range *ranges = NULL;
	struct seal_commit *commit;
	struct file *file;
	u32 usize;
	int ret, err;

	commit = kzalloc(sizeof(*commit), GFP_KERNEL_ACCOUNT);
	if (!commit)
		return -ENOMEM;
	ret = get_struct(commit, sizeof(*commit), sizeof(*commit), arg, &usize);
	if (ret)
		goto out_free;
	ret = -EINVAL;
	if (commit->flags || commit->reserved ||
	    commit->nr_ranges > SEAL_COMMIT_MAX_RANGES ||
	    (!commit->nr_ranges && !commit->new_size) ||
	    commit->new_size > S64_MAX)
		goto out_free;
	ret = put_struct(arg, commit, sizeof(*commit), usize);
	if (ret)
		goto out_free;
	if (commit->nr_ranges) {
		ranges = vmemdup_user(u64_to_user_ptr(commit->ranges),
				      commit->nr_ranges * sizeof(*ranges));
		ret = PTR_ERR_OR_ZERO(ranges);
		if (ret) {
			ranges = NULL;
			goto out_free;
		}
	}
	file = get_file_arg(commit->fd);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret)
		goto out_free;

	commit->converted = 0;
	commit->generation = 0;
	memset(commit->reason, 0, sizeof(commit->reason));
	ret = seal_grant_commit(session, file, commit, ranges);
	fput(file);
	err = put_struct(arg, commit, sizeof(*commit), usize);
	if (err)
		ret = err;
out_free:
	kvfree(ranges);
	kfree(commit);
	return ret;
}

static long ioctl_release(struct seal_session *session, void __user *arg)
{
	struct seal_release release = { };
	struct file *file;
	u32 usize;
	int ret;

	ret = get_struct(&release, sizeof(release), sizeof(release), arg,
			 &usize);
	if (ret)
		return ret;
	if (release.flags & ~SEAL_RELEASE_ALL || release.reserved)
		return -EINVAL;
	if (release.flags & SEAL_RELEASE_STICKY &&
	    !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	file = get_file_arg(release.fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = seal_grant_release(session, file, &release);
	fput(file);
	return ret;
}

/* A command without its size, because structures may grow. */
#define COMMAND(cmd)	((cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct seal_session *session = file->private_data;
	void __user *user = (void __user *)arg;

	switch (COMMAND(cmd)) {
	case COMMAND(SEAL_IOC_INFO):
		return ioctl_info(session, user);
	case COMMAND(SEAL_IOC_PREALLOC):
		return ioctl_range(session, user, false);
	case COMMAND(SEAL_IOC_UNSHARE):
		return ioctl_range(session, user, true);
	case COMMAND(SEAL_IOC_SEAL):
		return ioctl_seal(session, user);
	case COMMAND(SEAL_IOC_UNSEAL):
		return ioctl_unseal(session, user);
	case COMMAND(SEAL_IOC_STATUS):
		return ioctl_status(session, user);
	case COMMAND(SEAL_IOC_REVOKE):
		return ioctl_revoke(session, user);
	case COMMAND(SEAL_IOC_GRANT):
		return ioctl_grant(session, user);
	case COMMAND(SEAL_IOC_COMMIT):
		return ioctl_commit(session, user);
	case COMMAND(SEAL_IOC_RELEASE):
		return ioctl_release(session, user);
	case COMMAND(SEAL_IOC_PLACES):
		return ioctl_places(session, user);
	default:
		return -ENOTTY;
	}
}

/* POLLPRI: a claim was revoked or is recalled; STATUS says which. */
static __poll_t device_poll(struct file *file, poll_table *wait)
{
	struct seal_session *session = file->private_data;

	poll_wait(file, &session->wait, wait);
	return READ_ONCE(session->alerts) ? EPOLLPRI : 0;
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= device_release,
	.poll		= device_poll,
	.unlocked_ioctl	= device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= SEAL_DEVICE_NAME,
	.fops	= &device_fops,
	.mode	= 0660,
};

bool seal_device_is(const struct file *file)
{
	return file->f_op == &device_fops;
}

int seal_device_init(void)
{
	return misc_register(&device);
}

void seal_device_exit(void)
{
	misc_deregister(&device);
}
