// SPDX-License-Identifier: GPL-2.0-only
/*
 * Printing text that others chose.
 */
#include <limits.h>
#include <string.h>

#include "base/escape.h"

size_t utf8_sequence(const unsigned char *text)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned long code;
	size_t length, i;

	if (*text < 0x80)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	length = *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	code = *text & (0x7fU >> length);
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

/* U+0080 to U+009F are control characters of terminals. */
static bool is_control(const unsigned char *text, size_t length)
{
	return *text < ' ' || *text == 0x7f ||
	       (length == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

/* Characters that change the direction of the text, or end a line. */
static bool is_directing(const unsigned char *text, size_t length)
{
	unsigned char last = text[length - 1];

	if (length == 2)			/* U+061C */
		return text[0] == 0xd8 && last == 0x9c;
	if (length != 3 || text[0] != 0xe2)
		return false;
	if (text[1] == 0x80)			/* U+200E, 200F, 2028 to 202E */
		return last == 0x8e || last == 0x8f ||
		       (last >= 0xa8 && last <= 0xae);
	return text[1] == 0x81 && last >= 0xa6 && last <= 0xa9;
}

bool acts_on_terminal(const unsigned char *text, size_t length)
{
	return is_control(text, length) || is_directing(text, length);
}

static size_t escape(const unsigned char *text, bool blanks, char *out)
{
	size_t length = utf8_sequence(text);
	size_t i, nr = length ? length : 1;

	if (length && !acts_on_terminal(text, length) &&
	    *text != '\\' && (*text != ' ' || !blanks)) {
		memcpy(out, text, length);
		out[length] = '\0';
		return length;
	}
	for (i = 0; i < nr; i++)
		sprintf(out + 4 * i, "\\%03o", text[i]);
	return nr;
}

static void print(FILE *out, const char *text, bool blanks)
{
	const unsigned char *c = (const unsigned char *)text;
	char piece[17];

	if (!text) {
		putc('?', out);
		return;
	}
	while (*c) {
		c += escape(c, blanks, piece);
		fputs(piece, out);
	}
}

void print_text(FILE *out, const char *text)
{
	print(out, text, false);
}

void print_word(FILE *out, const char *text)
{
	print(out, text, true);
}

void print_path(const char *path, bool null)
{
	if (null)
		fputs(path, stdout);
	else
		print_text(stdout, path);
	putchar(null ? '\0' : '\n');
}

const char *shown(const char *text)
{
	static char texts[8][4 * PATH_MAX];
	static unsigned int last;
	const unsigned char *c = (const unsigned char *)text;
	char *start = texts[last++ % 8];
	char *out = start;
	char piece[17];

	if (!text)
		return "?";
	*out = '\0';
	while (*c && out - start < (long)sizeof(texts[0]) - 17) {
		c += escape(c, false, piece);
		out = stpcpy(out, piece);
	}
	return start;
}
