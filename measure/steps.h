/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts instructions by single-stepping a child with ptrace: the same on every machine. */
#ifndef REGPIN_MEASURE_STEPS_H
#define REGPIN_MEASURE_STEPS_H

/*
 * The number of instructions of @what(@argument), in a child that is forked for it: what
 * it changes is lost. The call itself is not counted.
 */
unsigned int steps_of(void (*what)(const void *argument), const void *argument);

#endif
