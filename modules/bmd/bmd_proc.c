/*
 * bmd_proc.c - the own processes: writers, keeper, provisioning sync, timer, escalation,
 * connections SPDX-License-Identifier: GPL-2.0-or-later Each is a loop around one function, mostly
 * of bmd_core.h.
 */
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/cfg/cfg_struct.h"
#include "core/pt.h"
#include "core/timer_proc.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

struct process
{
	char *name;
	void (*round)(void);
	useconds_t pause; /* microseconds between rounds that do not wait themselves */
	int to_tcp;       /* it speaks to the main process of TCP */
};

static const struct process processes[] = {
		{"BMD writer", bmd_core_writer_round, 0, 0},
		{"BMD rows", bmd_core_rows_round, 0, 0},
		{"BMD keeper", bmd_core_keeper_round, 1000000, 0},
		{"BMD provisioning", bmd_core_sync_round, 0, 0},
		{"BMD timer", bmd_core_timer_round, 200000, 0},
		{"BMD escalation", bmd_core_escalation_round, 0, 0},
		{"BMD connections", bmd_room_round, 100000, 1},
};
#define PROCESSES (sizeof processes / sizeof processes[0])

void bmd_announce_processes(void)
{
	register_procs(PROCESSES);
	cfg_register_child(PROCESSES);
}

static pid_t main_process;

void bmd_know_main_process(void)
{
	main_process = getpid();
}

/* Without the main process nobody would see a child die within a lock, nor end the others: they
 * all go with it, and a new start finds the ports free. */
int bmd_die_with_main_process(void)
{
	if(main_process == 0 || getpid() == main_process)
		return 0;
	if(prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		LM_ERR("cannot be tied to the main process\n");
		return -1;
	}
	if(getppid() != main_process) /* it went before that */
		raise(SIGKILL);
	return 0;
}

void bmd_free_locks_at_end(void)
{
	static int done;

	if(done || !destroy_modules_phase())
		return;
	done = 1;
	bmd_core_children_gone();
}

static void run(const struct process *process)
{
	for(;;) {
		cfg_update();
		process->round();
		if(process->pause > 0)
			usleep(process->pause);
	}
}

int bmd_fork_processes(void)
{
	size_t i;

	for(i = 0; i < PROCESSES; i++) {
		int pid = fork_process(PROC_NOCHLDINIT, processes[i].name, processes[i].to_tcp);

		if(pid < 0) {
			LM_ERR("cannot fork the process \"%s\"\n", processes[i].name);
			return -1;
		}
		if(pid == 0) {
			if(bmd_die_with_main_process() < 0 || cfg_child_init() < 0)
				exit(1);
			run(&processes[i]);
		}
	}
	return 0;
}
