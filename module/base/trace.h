/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM seal

#if !defined(SEAL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SEAL_TRACE_H

#include <linux/fs.h>
#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(seal_inode,
	TP_PROTO(const struct inode *inode, u64 digest),
	TP_ARGS(inode, digest),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(ino_t, ino)
		__field(u64, digest)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->digest = digest;
	),
	TP_printk("dev %d:%d ino %lu digest %016llx",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  (unsigned long)__entry->ino, __entry->digest)
);

DEFINE_EVENT(seal_inode, seal_sealed,
	TP_PROTO(const struct inode *inode, u64 digest),
	TP_ARGS(inode, digest));

DEFINE_EVENT(seal_inode, seal_unsealed,
	TP_PROTO(const struct inode *inode, u64 digest),
	TP_ARGS(inode, digest));

/* a holder has had blocks converted; @digest is that of the new map */
DEFINE_EVENT(seal_inode, seal_committed,
	TP_PROTO(const struct inode *inode, u64 digest),
	TP_ARGS(inode, digest));

/* a tripwire was hit: @function changed the map of a sealed file */
TRACE_EVENT(seal_broken,
	TP_PROTO(const struct inode *inode, const char *function),
	TP_ARGS(inode, function),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(ino_t, ino)
		__array(char, function, 40)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		strscpy(__entry->function, function,
			sizeof(__entry->function));
	),
	TP_printk("dev %d:%d ino %lu function %s",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  (unsigned long)__entry->ino, __entry->function)
);

/* @start and @end are bytes, or 0 for an operation refused on any range */
TRACE_EVENT(seal_refused,
	TP_PROTO(const struct inode *inode, const char *gate, u64 start,
		 u64 end),
	TP_ARGS(inode, gate, start, end),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(ino_t, ino)
		__field(u64, start)
		__field(u64, end)
		__array(char, gate, 40)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->start = start;
		__entry->end = end;
		strscpy(__entry->gate, gate, sizeof(__entry->gate));
	),
	TP_printk("dev %d:%d ino %lu gate %s range %llu-%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  (unsigned long)__entry->ino, __entry->gate,
		  __entry->start, __entry->end)
);

#endif /* SEAL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
