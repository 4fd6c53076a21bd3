/* SPDX-License-Identifier: GPL-2.0-only */
/* An attack, and the result of an attempt. */
#ifndef ATTACK_H
#define ATTACK_H

#include <linux/types.h>

/* Was the effect at which the attack aims seen? */
enum mark { NOT_SEEN, SEEN, ASK_USER, NO_EFFECT_TO_SEE };

struct attempt {
	u64 old, new, seen;	/* the register: before, as written, afterwards */
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
	writer *write;		/* for a control register: the instruction */
	enum mark (*effect)(const struct attempt *a);
	void (*undo)(void);	/* if the user program checks the effect */
	unsigned int arg;	/* offset in the VMCB, or what the other CPU does */
	bool irqs_on;
};

static inline u64 wanted(const struct attack *attack, u64 old)
{
	return ((old | attack->set) & ~attack->clear) ^ attack->flip;
}

#endif
