#include "textflag.h"

// MD5 (RFC 1321) of sixteen messages at once: lane i of each register belongs to message i.
//
// Z0-Z15   the block: one row per message as loaded, one word per register after TRANSPOSE
// Z16-Z19  the state a, b, c, d
// Z20-Z23  the state before the block
// Z24      scratch

// ZIPD and ZIPQ interleave the 32-bit (64-bit) elements of x and y within each 128-bit chunk: x gets the low halves, y the high ones.
#define ZIPD(x, y) \
	VPUNPCKLDQ y, x, Z24  \
	VPUNPCKHDQ y, x, y    \
	VMOVDQA32  Z24, x

#define ZIPQ(x, y) \
	VPUNPCKLQDQ y, x, Z24  \
	VPUNPCKHQDQ y, x, y    \
	VMOVDQA32   Z24, x

// DEAL gives x the even 128-bit chunks of x and y, and y the odd ones.
#define DEAL(x, y) \
	VSHUFI32X4 $0x88, y, x, Z24  \
	VSHUFI32X4 $0xDD, y, x, y    \
	VMOVDQA32  Z24, x

// LOAD reads 64 bytes of message i.
#define LOAD(i, row) \
	MOVQ      (8*i)(SI), R8  \
	VMOVDQU32 (R8)(DX*1), row

// STEP is a = b + rotate(a + f(b,c,d) + word + constant i, shift), where TERN(truth table, p, q, r) computes f: the bit of the table
// that the bits of p, q, r number.
#define STEP(table, p, q, r, a, b, word, i, shift) \
	VPADDD.BCST (4*i)(DI), a, a       \
	VMOVDQA32   p, Z24                \
	VPTERNLOGD  $table, r, q, Z24     \
	VPADDD      word, a, a            \
	VPADDD      Z24, a, a             \
	VPROLD      $shift, a, a          \
	VPADDD      b, a, a

#define F(a, b, c, d, word, i, shift) STEP(0xCA, b, c, d, a, b, word, i, shift) // b ? c : d
#define G(a, b, c, d, word, i, shift) STEP(0xCA, d, b, c, a, b, word, i, shift) // d ? b : c
#define H(a, b, c, d, word, i, shift) STEP(0x96, b, c, d, a, b, word, i, shift) // b ^ c ^ d
#define I(a, b, c, d, word, i, shift) STEP(0x39, b, c, d, a, b, word, i, shift) // c ^ (b | ^d)

// func blocks16(state *[4][Lanes]uint32, messages *[Lanes]*byte, constants *[64]uint32, n int)
TEXT ·blocks16(SB), NOSPLIT, $0-32
	MOVQ state+0(FP), AX
	MOVQ messages+8(FP), SI
	MOVQ constants+16(FP), DI
	MOVQ n+24(FP), CX
	XORQ DX, DX

	VMOVDQU32 0(AX), Z16
	VMOVDQU32 64(AX), Z17
	VMOVDQU32 128(AX), Z18
	VMOVDQU32 192(AX), Z19

	TESTQ CX, CX
	JZ    done

block:
	VMOVDQA32 Z16, Z20
	VMOVDQA32 Z17, Z21
	VMOVDQA32 Z18, Z22
	VMOVDQA32 Z19, Z23

	LOAD(0, Z0)
	LOAD(1, Z1)
	LOAD(2, Z2)
	LOAD(3, Z3)
	LOAD(4, Z4)
	LOAD(5, Z5)
	LOAD(6, Z6)
	LOAD(7, Z7)
	LOAD(8, Z8)
	LOAD(9, Z9)
	LOAD(10, Z10)
	LOAD(11, Z11)
	LOAD(12, Z12)
	LOAD(13, Z13)
	LOAD(14, Z14)
	LOAD(15, Z15)

	// Transpose: word w of the block comes to rest in Z(w), with 1 and 2 of each four exchanged.
	ZIPD(Z0, Z1)
	ZIPD(Z2, Z3)
	ZIPD(Z4, Z5)
	ZIPD(Z6, Z7)
	ZIPD(Z8, Z9)
	ZIPD(Z10, Z11)
	ZIPD(Z12, Z13)
	ZIPD(Z14, Z15)
	ZIPQ(Z0, Z2)
	ZIPQ(Z1, Z3)
	ZIPQ(Z4, Z6)
	ZIPQ(Z5, Z7)
	ZIPQ(Z8, Z10)
	ZIPQ(Z9, Z11)
	ZIPQ(Z12, Z14)
	ZIPQ(Z13, Z15)
	DEAL(Z0, Z4)
	DEAL(Z8, Z12)
	DEAL(Z0, Z8)
	DEAL(Z4, Z12)
	DEAL(Z1, Z5)
	DEAL(Z9, Z13)
	DEAL(Z1, Z9)
	DEAL(Z5, Z13)
	DEAL(Z2, Z6)
	DEAL(Z10, Z14)
	DEAL(Z2, Z10)
	DEAL(Z6, Z14)
	DEAL(Z3, Z7)
	DEAL(Z11, Z15)
	DEAL(Z3, Z11)
	DEAL(Z7, Z15)

	F(Z16, Z17, Z18, Z19, Z0, 0, 7)
	F(Z19, Z16, Z17, Z18, Z2, 1, 12)
	F(Z18, Z19, Z16, Z17, Z1, 2, 17)
	F(Z17, Z18, Z19, Z16, Z3, 3, 22)
	F(Z16, Z17, Z18, Z19, Z4, 4, 7)
	F(Z19, Z16, Z17, Z18, Z6, 5, 12)
	F(Z18, Z19, Z16, Z17, Z5, 6, 17)
	F(Z17, Z18, Z19, Z16, Z7, 7, 22)
	F(Z16, Z17, Z18, Z19, Z8, 8, 7)
	F(Z19, Z16, Z17, Z18, Z10, 9, 12)
	F(Z18, Z19, Z16, Z17, Z9, 10, 17)
	F(Z17, Z18, Z19, Z16, Z11, 11, 22)
	F(Z16, Z17, Z18, Z19, Z12, 12, 7)
	F(Z19, Z16, Z17, Z18, Z14, 13, 12)
	F(Z18, Z19, Z16, Z17, Z13, 14, 17)
	F(Z17, Z18, Z19, Z16, Z15, 15, 22)

	G(Z16, Z17, Z18, Z19, Z2, 16, 5)
	G(Z19, Z16, Z17, Z18, Z5, 17, 9)
	G(Z18, Z19, Z16, Z17, Z11, 18, 14)
	G(Z17, Z18, Z19, Z16, Z0, 19, 20)
	G(Z16, Z17, Z18, Z19, Z6, 20, 5)
	G(Z19, Z16, Z17, Z18, Z9, 21, 9)
	G(Z18, Z19, Z16, Z17, Z15, 22, 14)
	G(Z17, Z18, Z19, Z16, Z4, 23, 20)
	G(Z16, Z17, Z18, Z19, Z10, 24, 5)
	G(Z19, Z16, Z17, Z18, Z13, 25, 9)
	G(Z18, Z19, Z16, Z17, Z3, 26, 14)
	G(Z17, Z18, Z19, Z16, Z8, 27, 20)
	G(Z16, Z17, Z18, Z19, Z14, 28, 5)
	G(Z19, Z16, Z17, Z18, Z1, 29, 9)
	G(Z18, Z19, Z16, Z17, Z7, 30, 14)
	G(Z17, Z18, Z19, Z16, Z12, 31, 20)

	H(Z16, Z17, Z18, Z19, Z6, 32, 4)
	H(Z19, Z16, Z17, Z18, Z8, 33, 11)
	H(Z18, Z19, Z16, Z17, Z11, 34, 16)
	H(Z17, Z18, Z19, Z16, Z13, 35, 23)
	H(Z16, Z17, Z18, Z19, Z2, 36, 4)
	H(Z19, Z16, Z17, Z18, Z4, 37, 11)
	H(Z18, Z19, Z16, Z17, Z7, 38, 16)
	H(Z17, Z18, Z19, Z16, Z9, 39, 23)
	H(Z16, Z17, Z18, Z19, Z14, 40, 4)
	H(Z19, Z16, Z17, Z18, Z0, 41, 11)
	H(Z18, Z19, Z16, Z17, Z3, 42, 16)
	H(Z17, Z18, Z19, Z16, Z5, 43, 23)
	H(Z16, Z17, Z18, Z19, Z10, 44, 4)
	H(Z19, Z16, Z17, Z18, Z12, 45, 11)
	H(Z18, Z19, Z16, Z17, Z15, 46, 16)
	H(Z17, Z18, Z19, Z16, Z1, 47, 23)

	I(Z16, Z17, Z18, Z19, Z0, 48, 6)
	I(Z19, Z16, Z17, Z18, Z7, 49, 10)
	I(Z18, Z19, Z16, Z17, Z13, 50, 15)
	I(Z17, Z18, Z19, Z16, Z6, 51, 21)
	I(Z16, Z17, Z18, Z19, Z12, 52, 6)
	I(Z19, Z16, Z17, Z18, Z3, 53, 10)
	I(Z18, Z19, Z16, Z17, Z9, 54, 15)
	I(Z17, Z18, Z19, Z16, Z2, 55, 21)
	I(Z16, Z17, Z18, Z19, Z8, 56, 6)
	I(Z19, Z16, Z17, Z18, Z15, 57, 10)
	I(Z18, Z19, Z16, Z17, Z5, 58, 15)
	I(Z17, Z18, Z19, Z16, Z14, 59, 21)
	I(Z16, Z17, Z18, Z19, Z4, 60, 6)
	I(Z19, Z16, Z17, Z18, Z11, 61, 10)
	I(Z18, Z19, Z16, Z17, Z1, 62, 15)
	I(Z17, Z18, Z19, Z16, Z10, 63, 21)

	VPADDD Z20, Z16, Z16
	VPADDD Z21, Z17, Z17
	VPADDD Z22, Z18, Z18
	VPADDD Z23, Z19, Z19

	ADDQ $64, DX
	DECQ CX
	JNZ  block

done:
	VMOVDQU32 Z16, 0(AX)
	VMOVDQU32 Z17, 64(AX)
	VMOVDQU32 Z18, 128(AX)
	VMOVDQU32 Z19, 192(AX)
	VZEROUPPER
	RET
