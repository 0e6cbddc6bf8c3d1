/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How maps are frozen: the protocol of module/sealing, with the gates that it
 * works against (module/gates/decide.c, module/table/entry.h) and with a holder
 * that changes the map (module/changes). "make model" has spin look at every
 * order in which the steps of all tasks can happen; model/run says with what.
 *
 * Names are those of the code. -DWITHOUT_x leaves out a step: then spin must
 * find an order in which something goes wrong, or the step would not be needed.
 *
 * What is not in it: that processors see memory late (the code pairs its
 * barriers, here every step is seen at once), what is cached (tests/stress/exhaust),
 * REVOKE, more than one superblock, and memory that there is none of.
 */
#ifndef FILES
#define FILES	2
#endif
#ifndef BLOCKS		/* of a file */
#define BLOCKS	1
#endif
#ifndef CALLERS		/* tasks that use files */
#define CALLERS	2
#endif
#ifndef CALLS		/* of each of them */
#define CALLS	1
#endif
#ifndef SEALERS
#define SEALERS	1
#endif
#ifndef SEALS		/* of the first one, one after the other */
#define SEALS	1
#endif
#define MAX_ROUNDS	4

/* map: states of a block; PLACE and OTHER are two addresses */
#define HOLE		0
#define DELAYED		1
#define UNWRITTEN	2
#define PLACE		3
#define OTHER		4
#define in_place(m)	((m) >= PLACE)

/* enum seal_gates_state */
#define WATCHED		1
#define OPEN		2
#define SHUT		3

/* enum seal_entry_state; ABSENT: not in the table */
#define ABSENT		0
#define SEALING		1
#define SEALED		2
#define LEAVING		3

#define NOBODY		255
#define sealer(me)	(100 + (me))
#define at(f, b)	((f) * BLOCKS + (b))
#define ALL		(FILES * BLOCKS)

/* The filesystem. */
byte map[ALL];
bool rwsem[FILES], invalidate[FILES];	/* held */
byte dio[FILES];			/* inode->i_dio_count */
bool sb_write[CALLERS];			/* has write access to the superblock */
bool kthread[CALLERS];			/* a kernel thread, inside fallocate */
byte inside[CALLERS];			/* of a wrapper: file + 1 */
bool S_LAYOUT_BROKEN[FILES];

bool S_SEALED[FILES];

/*
 * struct seal_entry. A caller may still look at the one that was, so each file
 * has two, and the next one is made when nobody looks at what its place had.
 */
byte state[FILES];
bool slot[FILES];
byte gates[2 * FILES];
bool table[2 * ALL];			/* in place: may pass */
byte looks[CALLERS];			/* at which entry, counted from 1 */
byte claims[FILES];
bool growing[FILES];
bool change_lock[FILES];
byte changer[FILES];			/* who may change the map, or NOBODY */
bool changes[FILES];			/* what tripwires saw */
byte fs_users;				/* gates are attached if there are any */

bool killed[SEALERS];			/* a fatal signal is pending */

/* What must hold. */
byte holders[FILES];			/* claims of sessions that were told so */
bool stable[ALL];			/* in place from the beginning until now */

#define attached	(fs_users > 0)
#define entry(f)	(2 * (f) + slot[f])
#define in_table(e, b)	table[(e) * BLOCKS + (b)]

inline down(lock)	{ atomic { !lock -> lock = true } }
inline up(lock)		{ lock = false }

/* The map is changed: nobody may who is not a holder doing it, see change.c. */
inline set(f, b, to, who)
{
	atomic {
		if
		:: map[at(f, b)] != to ->
			assert(!holders[f] || changer[f] == who);
			/* a holder gets blocks only if no other was told what there is */
			assert(!(holders[f] > 1 && map[at(f, b)] == HOLE));
			map[at(f, b)] = to;
			stable[at(f, b)] = false;
			if
			:: changer[f] != who -> changes[f] = true
			:: else
			fi
		:: else
		fi
	}
}

/* A delayed block can be left behind: its page is gone, or writing failed. */
inline writeback(f, k, who)
{
	k = 0;
	do
	:: k < BLOCKS ->
		if
		:: map[at(f, k)] == DELAYED -> set(f, k, PLACE, who)
		:: map[at(f, k)] == DELAYED -> skip
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

/* --- decide.c --- */

inline seal_gates_pass(e, pass)
{
	pass = false;
	if
	:: gates[e] == SHUT -> skip
	:: else ->
		atomic {
			if
			:: gates[e] == WATCHED -> gates[e] = OPEN
			:: else
			fi
		};
		pass = (gates[e] != SHUT)
	fi
}

#ifdef WITHOUT_CHANGER
#define seal_changing(f, who)	(changer[f] != NOBODY)
#else
#define seal_changing(f, who)	(changer[f] == who)
#endif

/* In an RCU section. */
inline seal_lookup(f)
{
	atomic {
		looks[me] = (S_SEALED[f] && state[f] != ABSENT ->
			     entry(f) + 1 : 0)
	}
}

inline seal_gate_refuses(f, b, pass)
{
	pass = true;
	if
	:: attached -> seal_lookup(f)
	:: else
	fi;
	if
	:: looks[me] && !in_table(looks[me] - 1, b) ->
		seal_gates_pass(looks[me] - 1, pass);
#ifndef WITHOUT_SECOND_LOOK
		if
		:: !pass && in_table(looks[me] - 1, b) -> pass = true
		:: else
		fi;
#endif
		/* a writer in place is never refused */
		assert(pass || !stable[at(f, b)])
	:: else
	fi;
	looks[me] = 0
}

inline seal_gate_refuses_any(f, pass, hooked, who)
{
	pass = true;
	if
	:: hooked && !seal_changing(f, who) -> seal_lookup(f)
	:: else
	fi;
	if
	:: looks[me] -> seal_gates_pass(looks[me] - 1, pass)
	:: else
	fi;
	looks[me] = 0
}

/* --- callers --- */

inline write_call(f, b, me, pass)
{
	sb_write[me] = true;
	down(rwsem[f]);
	seal_gate_refuses(f, b, pass);
	if
	:: pass && map[at(f, b)] == HOLE -> set(f, b, DELAYED, me)
	:: pass && map[at(f, b)] == UNWRITTEN -> set(f, b, PLACE, me)
	:: else
	fi;
	up(rwsem[f]);
	sb_write[me] = false
}

inline fault_call(f, b, me, pass)
{
	down(invalidate[f]);
	seal_gate_refuses(f, b, pass);
	if
	:: pass && map[at(f, b)] == HOLE -> set(f, b, DELAYED, me)
	:: else
	fi;
	up(invalidate[f])
}

inline direct_call(f, b, me, pass)
{
	sb_write[me] = true;
	down(rwsem[f]);
	seal_gate_refuses(f, b, pass);
	if
	:: pass ->
		dio[f]++;
		if
		:: map[at(f, b)] == HOLE -> set(f, b, UNWRITTEN, me)
		:: else
		fi
	:: else
	fi;
	up(rwsem[f]);
	sb_write[me] = false;
	if
	:: pass ->
		/* the device is done; a hole may have been punched, not here */
		if
		:: map[at(f, b)] == UNWRITTEN -> set(f, b, PLACE, me)
		:: else
		fi;
		atomic { dio[f]--; pass = false }
	:: else
	fi
}

inline punch_call(f, b, me, pass)
{
	sb_write[me] = true;
	down(rwsem[f]);
	down(invalidate[f]);
	dio[f] == 0;
	seal_gate_refuses_any(f, pass, attached, me);
	if
	:: pass -> set(f, b, HOLE, me)
	:: else
	fi;
	up(invalidate[f]);
	up(rwsem[f]);
	sb_write[me] = false
}

/* Swap or move of extents: the gate is passed before any lock is taken. */
inline move_call(f, b, me, pass, hooked)
{
	sb_write[me] = true;
	hooked = attached;
	inside[me] = (hooked -> f + 1 : 0);
	seal_gate_refuses_any(f, pass, hooked, me);
	if
	:: pass ->
		down(rwsem[f]);
		if
		:: map[at(f, b)] == PLACE -> set(f, b, OTHER, me)
		:: map[at(f, b)] == OTHER -> set(f, b, PLACE, me)
		:: else
		fi;
		up(rwsem[f])
	:: else
	fi;
	inside[me] = 0;
	sb_write[me] = false
}

/* A loop device discards: no write access, and who is without the gate is seen
 * by his stack only. */
inline discard_call(f, b, me, pass, hooked)
{
	kthread[me] = true;
	hooked = attached;
	inside[me] = (hooked -> f + 1 : 0);
	seal_gate_refuses_any(f, pass, hooked, me);
	if
	:: pass ->
		down(rwsem[f]);
		set(f, b, HOLE, me);
		up(rwsem[f])
	:: else
	fi;
	inside[me] = 0;
	kthread[me] = false
}

/* A truncate that drops its lock to wait for a layout, having passed. */
inline layout_call(f, b, me, pass)
{
	sb_write[me] = true;
	down(rwsem[f]);
	seal_gate_refuses_any(f, pass, attached, me);
	if
	:: pass ->
		S_LAYOUT_BROKEN[f] = true;
		up(rwsem[f]);
		down(rwsem[f]);
		set(f, b, HOLE, me)
	:: else
	fi;
	up(rwsem[f]);
	sb_write[me] = false
}

proctype caller(byte me)
{
	byte n, f, b, k;
	bool pass, hooked;

	do
	:: n < CALLS ->
		atomic {
			n++;
			select (f : 0 .. FILES - 1);
			select (b : 0 .. BLOCKS - 1)
		};
		if
		:: write_call(f, b, me, pass)
		:: fault_call(f, b, me, pass)
		:: direct_call(f, b, me, pass)
		:: punch_call(f, b, me, pass)
		:: move_call(f, b, me, pass, hooked)
#ifndef FEW_CALLS
		:: discard_call(f, b, me, pass, hooked)
		:: layout_call(f, b, me, pass)
		:: writeback(f, k, me)
#endif
		fi;
		atomic { f = 0; b = 0; pass = false; hooked = false }
	:: else -> break
	od
}

/* --- sealing --- */

/*
 * seal_wait_older() and seal_wait_dropped(): of each who is there now the stack is
 * looked at until it shows once that he is not.
 */
#define WAIT_FOR_ALL(who) \
	i = 0; \
	do \
	:: i < CALLERS -> \
		atomic { seen[i] = who[i]; i++ } \
	:: else -> break \
	od; \
	i = 0; \
	do \
	:: i < CALLERS -> \
		if \
		:: atomic { !seen[i] || !who[i] -> seen[i] = false; i++ } \
		:: killed[me] -> goto out_put \
		fi \
	:: else -> break \
	od; \
	i = 0

inline seal_map_read(f)
{
	i = 0;
	do
	:: i < BLOCKS ->
		atomic { read[at(f, i)] = map[at(f, i)]; i++ }
	:: else -> break
	od;
	i = 0
}

inline table_publish(f)
{
	d_step {
		i = 0;
		do
		:: i < BLOCKS ->
			in_table(entry(f), i) = in_place(read[at(f, i)]);
			i++
		:: else -> break
		od;
		i = 0
	}
}

inline seal_freeze_watch(f)
{
	down(rwsem[f]);
	S_SEALED[f] = true;
	up(rwsem[f])
}

inline seal_freeze_look(f)
{
	writeback(f, i, sealer(me));
	seal_map_read(f);
	table_publish(f)
}

inline seal_freeze_shut(f)
{
	down(rwsem[f]);
	gates[entry(f)] = SHUT;
	up(rwsem[f])
}

inline lock_map(f)
{
#ifndef WITHOUT_RWSEM
	down(rwsem[f]);
#endif
#ifndef WITHOUT_INVALIDATE
	down(invalidate[f]);
#endif
#ifndef WITHOUT_DIO
	dio[f] == 0;
#endif
	skip
}

inline unlock_map(f)
{
#ifndef WITHOUT_INVALIDATE
	up(invalidate[f]);
#endif
#ifndef WITHOUT_RWSEM
	up(rwsem[f]);
#endif
	skip
}

inline seal_freeze_settle(f)
{
	writeback(f, i, sealer(me));
	lock_map(f);
#ifndef WITHOUT_LAYOUTS
	if
	:: S_LAYOUT_BROKEN[f] ->
		S_LAYOUT_BROKEN[f] = false;
		layout_broken = true
	:: else
	fi;
#endif
	unlock_map(f);
	writeback(f, i, sealer(me))
}

/* The last lines of seal_freeze_read(), and read_shut(). */
inline seal_freeze_read(f)
{
	changes[f] = false;
	seal_map_read(f);
	d_step {
#ifdef WITHOUT_RESTS
		rests = true;
#else
		rests = !changes[f];
		i = 0;
		do
		:: i < BLOCKS ->
			rests = rests && read[at(f, i)] != DELAYED;
			i++
		:: else -> break
		od;
#endif
		subset = true;
		i = 0;
		do
		:: i < BLOCKS ->
			subset = subset && (!in_table(entry(f), i) ||
					    in_place(read[at(f, i)]));
			i++
		:: else -> break
		od;
		i = 0
	};
#ifdef WITHOUT_SUBSET
	subset = true;
#endif
	if
	:: gates[entry(f)] == SHUT && rests && subset ->
		table_publish(f);
		settled[f] = true
	:: gates[entry(f)] == SHUT && !(rests && subset) ->
		d_step {
			i = 0;
			do
			:: i < BLOCKS ->
				in_table(entry(f), i) = in_table(entry(f), i) &&
						  in_place(read[at(f, i)]);
				i++
			:: else -> break
			od;
			i = 0
		}
	:: gates[entry(f)] != SHUT ->
		table_publish(f);
		if
		:: rests -> seal_freeze_close(f)
		:: else
		fi
	fi
}

inline seal_freeze_close(f)
{
#ifdef WITHOUT_WATCH
	atomic { gates[entry(f)] = SHUT; settled[f] = true }
#else
	atomic {
		if
		:: gates[entry(f)] == WATCHED -> gates[entry(f)] = SHUT; settled[f] = true
		:: else
		fi
	}
#endif
}

#ifdef WITHOUT_WATCH
#define seal_freeze_opened(f)	false
#else
#define seal_freeze_opened(f)	(gates[entry(f)] == OPEN)
#endif

/* seal_entry_put(): the last claim takes the entry apart */
inline entry_drop(f)
{
	atomic {
#ifdef WITHOUT_CLAIMS
		claims[f] = 0;
#else
		claims[f]--;
#endif
		last = (claims[f] == 0);
		if
		:: last -> state[f] = LEAVING
		:: else
		fi
	};
	if
	:: last ->
		/* seal_thaw_map() */
		down(rwsem[f]);
		S_SEALED[f] = false;
		up(rwsem[f]);
		atomic { state[f] = ABSENT; fs_users-- }
	:: else
	fi;
	last = false
}

#ifdef WITHOUT_GROWING
#define settled_entry(f)	(state[f] == SEALED)
#else
#define settled_entry(f)	(state[f] == SEALED && !growing[f])
#endif

#if CALLERS > 1
#define looked_at(e)	(looks[0] == (e) + 1 || looks[1] == (e) + 1)
#else
#define looked_at(e)	(looks[0] == (e) + 1)
#endif

/* job_acquire(); who waits can be killed */
inline job_acquire(f)
{
	do
	:: atomic { state[f] == ABSENT && !looked_at(2 * f + 1 - slot[f]) ->
		slot[f] = 1 - slot[f];
		state[f] = SEALING; claims[f] = 1; changes[f] = false;
		gates[entry(f)] = WATCHED;
		do
		:: i < BLOCKS -> in_table(entry(f), i) = false; i++
		:: else -> i = 0; break
		od;
		fs_users++; has[f] = true; mine[f] = true; break }
	:: atomic { settled_entry(f) ->
		claims[f]++; has[f] = true; break }
#ifdef WITHOUT_TRANSIT
	:: atomic { state[f] != ABSENT ->
		claims[f]++; has[f] = true; break }
#endif
	:: killed[me] -> goto out_put
	od
}

/* Files are sealed in the order of their inodes; 1: the second one only. */
#ifdef WITHOUT_SORT
#define nth(n)		(me == 1 -> FILES - 1 - (n) : (n))
#else
#define nth(n)		(n)
#endif
#define wants(f)	(!only || (f) == FILES - 1)

/* A holder is granted blocks: a hole gets some (grant.c, allocate()). */
inline grant_allocate(f, b)
{
	atomic { claims[f]++ };
	down(change_lock[f]);
	atomic {
#ifdef WITHOUT_SOLE
		growing[f] = true
#else
		growing[f] = (claims[f] == 2)
#endif
	};
	if
	:: growing[f] ->
		lock_map(f);
		unlock_map(f);
		changer[f] = sealer(me);
		if
		:: map[at(f, b)] == HOLE -> set(f, b, UNWRITTEN, sealer(me))
		:: else
		fi;
		changer[f] = NOBODY;
		growing[f] = false
	:: else
	fi;
	up(change_lock[f]);
	entry_drop(f)
}

/* What others wrote becomes part of the file (commit.c). */
inline grant_commit(f, b)
{
	atomic { claims[f]++ };
	down(change_lock[f]);
	if
	:: map[at(f, b)] == UNWRITTEN ->
#ifdef WITHOUT_PUBLISH_LAST
		in_table(entry(f), b) = true;
#endif
		changer[f] = sealer(me);
		set(f, b, PLACE, sealer(me));
		changer[f] = NOBODY;
		down(rwsem[f]);
		down(invalidate[f]);
		in_table(entry(f), b) = true;
		up(invalidate[f]);
		up(rwsem[f])
	:: else
	fi;
	up(change_lock[f]);
	entry_drop(f)
}

/* Of one of the files, or of all. */
#if FILES > 1
#define BROKEN		((has[0] && !mine[0] && changes[0]) || \
			 (has[1] && !mine[1] && changes[1]))
#define CHANGED		((mine[0] && changes[0]) || (mine[1] && changes[1]))
#define SEALED_ON	(state[0] == SEALED || state[1] == SEALED)
#define SETTLED		((!mine[0] || settled[0]) && (!mine[1] || settled[1]))
#else
#define BROKEN		(has[0] && !mine[0] && changes[0])
#define CHANGED		(mine[0] && changes[0])
#define SEALED_ON	(state[0] == SEALED)
#define SETTLED		(!mine[0] || settled[0])
#endif

proctype sealing(byte me; bool only)
{
	byte i, n, k, f, b, round, seals = (me == 0 -> SEALS : 1);
	byte read[ALL];
	bool has[FILES], mine[FILES], settled[FILES], told[FILES];
	bool seen[CALLERS];
	bool rests, subset, layout_broken, waited, last;

again:
	n = 0;
	do
	:: n < FILES ->
		if
		:: wants(nth(n)) -> job_acquire(nth(n))
		:: else
		fi;
		n++
	:: else -> n = 0; break
	od;

	/* job_join(): of a broken seal nobody becomes a holder */
	if
	:: BROKEN -> goto out_put
	:: else
	fi;

	/* jobs_wait_older(); the same of all files: they are on one superblock */
	if
	:: SEALED_ON -> skip
	:: else ->
#ifndef WITHOUT_ENTERED
		WAIT_FOR_ALL(sb_write);
#endif
#ifndef WITHOUT_KTHREADS
		WAIT_FOR_ALL(kthread);
#endif
		skip
	fi;

	n = 0;
	do
	:: n < FILES ->
		if
		:: mine[n] -> seal_freeze_watch(n)
		:: else
		fi;
		n++
	:: else -> n = 0; break
	od;

	round = 0;
	do
	:: SETTLED -> break
	:: else ->
		if
		:: round == MAX_ROUNDS || killed[me] -> goto out_put
		:: round < MAX_ROUNDS -> round++
		fi;
		/* job_shut() */
		do
		:: n < FILES ->
			if
			:: mine[n] && !settled[n] && seal_freeze_opened(n) ->
				seal_freeze_look(n);
				seal_freeze_shut(n)
			:: else
			fi;
			n++
		:: else -> n = 0; break
		od;
		/* jobs_drain_inside() */
#ifndef WITHOUT_WRAPPERS
		do
		:: n < FILES ->
			if
			:: mine[n] && !settled[n] ->
				i = 0;
				do
				:: i < CALLERS ->
					if
					:: inside[i] != n + 1 -> i++
					:: killed[me] -> goto out_put
					fi
				:: else -> i = 0; break
				od
			:: else
			fi;
			n++
		:: else -> n = 0; break
		od;
#endif
		do
		:: n < FILES ->
			if
			:: mine[n] && !settled[n] -> seal_freeze_settle(n)
			:: else
			fi;
			n++
		:: else -> n = 0; break
		od;
		/* jobs_wait_layouts() */
		if
		:: layout_broken ->
			WAIT_FOR_ALL(sb_write);
			layout_broken = false
		:: else ->
			do
			:: n < FILES ->
				if
				:: mine[n] && !settled[n] -> seal_freeze_read(n)
				:: else
				fi;
				n++
			:: else -> n = 0; break
			od
		fi
	od;

	/* all or none: a requirement is not met, or the map changed */
	if
#ifdef MAY_FAIL
	:: goto out_put
#endif
	:: CHANGED -> goto out_put
	:: !CHANGED ->
		/* jobs_commit(), with the table locked */
		atomic {
			do
			:: n < FILES ->
				if
				:: has[n] ->
					assert(state[n] == SEALED || mine[n]);
					assert(gates[entry(n)] == SHUT);
					state[n] = SEALED;
					told[n] = true;
					holders[n]++;
					b = 0;
					do
					:: b < BLOCKS ->
						assert(!mine[n] ||
						       map[at(n, b)] ==
						       read[at(n, b)]);
						assert(map[at(n, b)] != DELAYED);
						assert(!in_table(entry(n), b) ||
						       in_place(map[at(n, b)]));
						b++
					:: else -> b = 0; break
					od
				:: else
				fi;
				n++
			:: else -> n = 0; break
			od
		}
	fi;

#ifdef CHANGES
	/* one of the two may change the map of what it holds */
	if
	:: me == 0 -> grant_allocate(0, 0); grant_commit(0, 0)
	:: else
	fi;
#endif
out_put:
	/* UNSEAL, the end of the session, or what a failed SEAL takes back */
#ifdef WITHOUT_UNDO
	if
	:: has[0] && !told[0] -> goto left
	:: else
	fi;
#endif
	n = 0;
	do
	:: n < FILES ->
		if
		:: has[n] ->
			atomic {
				if
				:: told[n] -> holders[n]--
				:: else
				fi;
				told[n] = false;
				has[n] = false;
				mine[n] = false;
				settled[n] = false
			};
			entry_drop(n)
		:: else
		fi;
		n++
	:: else -> break
	od;
left:
	atomic {
		d_step {
			n = 0; i = 0; b = 0; round = 0;
			rests = false; subset = false; layout_broken = false;
			do
			:: i < ALL -> read[i] = 0; i++
			:: else -> i = 0; break
			od;
			do
			:: i < CALLERS -> seen[i] = false; i++
			:: else -> i = 0; break
			od
		};
		seals--;
		if
		:: seals > 0 -> goto again
		:: else
		fi
	}
}

/* A fatal signal for one of the sealers, at any time or never. */
#ifdef KILL
proctype killer()
{
	killed[SEALERS - 1] = true
}
#endif

init
{
	byte i;

	atomic {
		i = 0;
		do
		:: i < ALL ->
			if
			:: map[i] = HOLE
			:: map[i] = PLACE; stable[i] = true
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < FILES -> changer[i] = NOBODY; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < CALLERS -> run caller(i); i++
		:: else -> break
		od;
		run sealing(0, false);
#if SEALERS > 1
		/* the same files, or only the last */
		if
		:: run sealing(1, false)
		:: run sealing(1, true)
		fi;
#endif
#ifdef KILL
		run killer();
#endif
		i = 0
	};
	/* at the end nothing is left of any of them */
	_nr_pr == 1;
	i = 0;
	do
	:: i < FILES ->
		assert(state[i] == ABSENT && !S_SEALED[i] && !claims[i]);
		assert(!holders[i] && !rwsem[i] && !invalidate[i] && !dio[i]);
		i++
	:: else -> break
	od;
	assert(!fs_users)
}
