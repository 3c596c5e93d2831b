/*
 * Prints what libucl reads: one path per line on stdin, one answer per path on stdout.
 * The answer is "ok LENGTH\n" and the JSON, or "err LENGTH\n" and libucl's message.
 * It is flushed after every file, so that the caller knows which one ended the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucl.h>

static void
answer (const char *word, const char *text)
{
	printf ("%s %zu\n%s\n", word, strlen (text), text);
	fflush (stdout);
}

int
main (void)
{
	char path[4096];

	while (fgets (path, sizeof (path), stdin) != NULL) {
		path[strcspn (path, "\n")] = '\0';
		struct ucl_parser *parser = ucl_parser_new (0);
		if (!ucl_parser_add_file (parser, path)) {
			const char *text = ucl_parser_get_error (parser);
			answer ("err", text != NULL ? text : "");
		}
		else {
			ucl_object_t *root = ucl_parser_get_object (parser);
			char *text = (char *) ucl_object_emit (root, UCL_EMIT_JSON);
			answer ("ok", text);
			free (text);
			ucl_object_unref (root);
		}
		ucl_parser_free (parser);
	}
	return 0;
}
