# SPDX-License-Identifier: Apache-2.0
# A guest of one sector: what is typed on its keyboard appears on its screen, and what comes in
# on its serial port goes out there again behind a prompt.  Nothing blinks, so that pictures of it
# can be compared.
    .code16
    .globl _start
_start:
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7c00, %sp
    mov $0x0003, %ax            # 80 by 25 characters
    int $0x10
    mov $0x01, %ah              # no cursor
    mov $0x2607, %cx
    int $0x10
    mov $hello, %si
1:  lodsb
    test %al, %al
    jz wait
    call show
    jmp 1b

wait:
    sti
    hlt
keyboard:
    mov $0x01, %ah              # is there a key?
    int $0x16
    jz serial
    xor %ah, %ah
    int $0x16
    test %al, %al
    jz keyboard
    call show
    cmp $13, %al
    jne keyboard
    mov $10, %al
    call show
    jmp keyboard

serial:
    mov $0x3fd, %dx
    in %dx, %al
    test $1, %al
    jz wait
    mov $0x3f8, %dx
    in %dx, %al
    cmp $13, %al
    je prompt
    out %al, %dx
    jmp serial
prompt:
    mov $asked, %si
1:  lodsb
    test %al, %al
    jz serial
    out %al, %dx
    jmp 1b

show:
    mov $0x0e, %ah
    mov $0x0007, %bx
    int $0x10
    ret

hello:
    .asciz "A small guest.  Type here:\r\n"
asked:
    .asciz "\r\n\x1b[1;32mguest\x1b[0m \x1b[38;2;255;160;60mecho\x1b[0m> "

    .org 510
    .word 0xaa55
