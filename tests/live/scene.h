/* SPDX-License-Identifier: GPL-2.0-only */
/* A tiny VM under a policy, by the C API, and its events. */
#ifndef REGPIN_TESTS_LIVE_SCENE_H
#define REGPIN_TESTS_LIVE_SCENE_H

#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include "../build_policy.h"
#include "tap.h"
#include "tiny_run.h"

#define SCENE_EVENTS	64
#define SCENE_VM	7	/* the number that events must carry */

struct scene {
	pthread_mutex_t lock;		/* of the events */
	struct regpin_policy *policy;
	struct tiny_vm vm;
	struct tiny_vcpu vcpu[2];
	unsigned int nr_vcpus;
	unsigned int nr_events;
	struct regpin_event events[SCENE_EVENTS];
};

static inline void scene_event(void *context, const struct regpin_event *event)
{
	struct scene *scene = context;

	pthread_mutex_lock(&scene->lock);
	if (scene->nr_events < SCENE_EVENTS)
		scene->events[scene->nr_events++] = *event;
	pthread_mutex_unlock(&scene->lock);
}

/* Takes ownership of @policy, which policy_check() must accept. */
static inline void scene_open(struct scene *scene, struct regpin_policy *policy,
			      unsigned int nr_vcpus, enum tiny_mode mode)
{
	struct regpin_vm_options options = {
		.size = sizeof(options), .vm = SCENE_VM,
		.event = scene_event, .kick = tiny_kick,
		.context = scene,
	};
	int ret;

	memset(scene, 0, sizeof(*scene));
	pthread_mutex_init(&scene->lock, NULL);
	tiny_kick_begin();
	scene->policy = policy;
	scene->nr_vcpus = nr_vcpus;
	if (finish_policy(policy)) {
		printf("Bail out! the test's policy is wrong\n");
		exit(1);
	}
	tiny_vm_new(&scene->vm);
	ret = regpin_vm_attach(policy, scene->vm.kvm, scene->vm.fd, &options,
			       &scene->vm.regpin);
	if (ret) {
		printf("Bail out! regpin_vm_attach(): %s\n", strerror(-ret));
		exit(1);
	}
	for (unsigned int i = 0; i < nr_vcpus; i++)
		tiny_vcpu_new(&scene->vm, &scene->vcpu[i], i, mode);
	scene->nr_events = 0;
}

static inline void scene_close(struct scene *scene)
{
	for (unsigned int i = 0; i < scene->nr_vcpus; i++)
		tiny_vcpu_free(&scene->vcpu[i]);
	tiny_vm_free(&scene->vm);
	free(scene->policy);
}

/* Is the last event of @type? Then forgets all events. */
static inline bool scene_only(struct scene *scene, unsigned int type)
{
	bool only = scene->nr_events == 1 && scene->events[0].type == type;

	scene->nr_events = 0;
	return only;
}

/* Returns the number of events of @type. */
static inline unsigned int scene_count(const struct scene *scene,
				       unsigned int type)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < scene->nr_events; i++)
		count += scene->events[i].type == type;
	return count;
}

static inline bool scene_silent(struct scene *scene)
{
	bool silent = scene->nr_events == 0;

	scene->nr_events = 0;
	return silent;
}

static inline struct kvm_regs scene_regs(struct tiny_vcpu *vcpu)
{
	struct kvm_regs regs;

	memset(&regs, 0, sizeof(regs));
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		printf("# KVM_GET_REGS: %s\n", strerror(errno));
	return regs;
}

/* The value of MSR @index, as the VMM reads it. */
static inline uint64_t scene_msr(struct tiny_vcpu *vcpu, uint32_t index)
{
	uint64_t value = 0xdead;

	tiny_get_msr(vcpu, index, &value);
	return value;
}

#endif
