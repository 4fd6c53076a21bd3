/* SPDX-License-Identifier: GPL-2.0-only */
/* An attack, and what an attempt of it has shown. */
#ifndef ATTACK_H
#define ATTACK_H

#include <linux/types.h>

/* Was the effect seen that the attack is made for? */
enum mark { NOT_SEEN, SEEN, ASK_USER, NO_EFFECT_TO_SEE };

struct attempt {
	u64 old, new, seen;	/* the register: before, tried, afterwards */
	unsigned long fault;	/* the instruction got #GP */
	unsigned long rip;	/* of the instruction */
	enum mark mark;
};

typedef unsigned long writer(u64 value, unsigned long *rip);

struct attack {
	const char *name;
	void (*run)(const struct attack *attack, struct attempt *a);
	u32 reg;
	u64 set, clear, flip;
	writer *write;		/* a control register: by which instruction */
	enum mark (*effect)(const struct attempt *a);
	void (*undo)(void);	/* for those whose effect the user program looks at */
	unsigned int arg;	/* where VMLOAD finds it; what the other CPU does */
	bool irqs_on;
};

static inline u64 wanted(const struct attack *attack, u64 old)
{
	return ((old | attack->set) & ~attack->clear) ^ attack->flip;
}

#endif
