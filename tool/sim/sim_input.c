// SPDX-License-Identifier: GPL-2.0-only
/* Lines from a file or a pipe, in pieces of a megabyte. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sim_input.h"
#include "trace.h"

int input_open(struct input *input, const char *name)
{
	input->name = name;
	input->at = input->end = input->buf;
	if (strcmp(name, "-") != 0)
		input->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return input->fd < 0 ? -1 : 0;
}

void input_close(struct input *input)
{
	if (input->fd > 0)
		close(input->fd);
}

static void fill(struct input *input)
{
	size_t left = (size_t)(input->end - input->at);
	ssize_t len;

	memmove(input->buf, input->at, left);
	input->at = input->buf;
	input->end = input->buf + left;
	do
		len = read(input->fd, input->end, INPUT_SIZE - left);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		input->error = errno;
	if (len > 0)
		input->end += len;
	else
		input->over = true;
}

/* Drops the rest of a line that was too long. */
static void drop_rest(struct input *input)
{
	char *end;

	do {
		if (input->at == input->end)
			fill(input);
		end = input->at == input->end ? NULL :
			memchr(input->at, '\n',
			       (size_t)(input->end - input->at));
		input->at = end ? end + 1 : input->end;
	} while (!end && !input->over);
	input->cut = false;
}

size_t input_take(struct input *input, char **line)
{
	char *end;

	if (input->cut)
		drop_rest(input);
	for (;;) {
		size_t left = (size_t)(input->end - input->at);

		end = left ? memchr(input->at, '\n', left) : NULL;
		if (end || input->over || left > TRACE_MAX_LINE)
			break;
		fill(input);
	}
	input->cut = !end && !input->over;
	end = end ? end + 1 : input->end;
	*line = input->at;
	input->at = end;
	input->line++;
	return (size_t)(end - *line);
}
