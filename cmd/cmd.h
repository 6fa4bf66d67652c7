/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd.h - the subcommands of tern: each takes its own argc and argv and returns an exit code.
 */
#ifndef TERN_CMD_CMD_H
#define TERN_CMD_CMD_H

int cmd_lab(int argc, char **argv);
int cmd_drill(int argc, char **argv);
int cmd_ladder(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_ip(int argc, char **argv);
int cmd_traceroute(int argc, char **argv);
int cmd_tracepath(int argc, char **argv);
int cmd_nc(int argc, char **argv);
int cmd_resolve(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_weather(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif
