/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are part of the program, see embed.h.
 */
	.section .rodata
	.global embed_schema, embed_css, embed_js
embed_schema:
	.incbin "schema.sql"
	.byte 0
embed_css:
	.incbin "page.css"
	.byte 0
embed_js:
	.incbin "page.js"
	.byte 0
	.section .note.GNU-stack, "", @progbits
