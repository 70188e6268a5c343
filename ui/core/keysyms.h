/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys by what they mean: X11's keysyms ("X Window System Protocol", appendix A); characters are Latin-1. */
#ifndef UI_CORE_KEYSYMS_H
#define UI_CORE_KEYSYMS_H

enum {
    KEYSYM_BACKSPACE = 0xff08, KEYSYM_TAB = 0xff09, KEYSYM_RETURN = 0xff0d, KEYSYM_ESCAPE = 0xff1b,
    KEYSYM_HOME = 0xff50, KEYSYM_LEFT = 0xff51, KEYSYM_UP = 0xff52, KEYSYM_RIGHT = 0xff53, KEYSYM_DOWN = 0xff54,
    KEYSYM_PAGE_UP = 0xff55, KEYSYM_PAGE_DOWN = 0xff56, KEYSYM_END = 0xff57, KEYSYM_INSERT = 0xff63,
    KEYSYM_KP_ENTER = 0xff8d, KEYSYM_CONTROL_L = 0xffe3, KEYSYM_CONTROL_R = 0xffe4, KEYSYM_ALT_L = 0xffe9,
    KEYSYM_ALT_R = 0xffea, KEYSYM_DELETE = 0xffff,
};

#endif
