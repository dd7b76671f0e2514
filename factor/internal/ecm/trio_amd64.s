//go:build !purego

#include "textflag.h"

// Three curves in step modulo one word; see curveTrio. R15 is n, R14 its inverse; points have 16
// bytes a curve.

// PRODUCT sets out to DX*x/R; it is below n if DX*x is below n R, else below R. CX and
// DX are lost.
#define PRODUCT(x, out) \
	MULXQ x, DX, out; \
	IMULQ R14, DX; \
	MULXQ R15, CX, DX; \
	SUBQ DX, out; \
	LEAQ (out)(R15*1), CX; \
	CMOVQCS CX, out

// LAZY is PRODUCT for DX*x below n R, with a result below 2n.
#define LAZY(x, out) \
	MULXQ x, DX, out; \
	IMULQ R14, DX; \
	MULXQ R15, CX, DX; \
	ADDQ R15, out; \
	SUBQ DX, out

// LESS takes y, below n, from x: below n if x is, else below R.
#define LESS(x, y) \
	SUBQ y, x; \
	LEAQ (x)(R15*1), CX; \
	CMOVQCS CX, x

// PLUS adds y to x, both below n, where R13 is -n: below R.
#define PLUS(x, y) \
	ADDQ y, x; \
	LEAQ (x)(R13*1), CX; \
	CMOVQCS CX, x

// SUM adds y to x, both below n: below n.
#define SUM(x, y) \
	MOVQ R15, CX; \
	SUBQ y, CX; \
	LESS(x, CX)

// ADD is p + q on the curve at o, for any n.
#define ADD(o) \
	MOVQ o(SI), AX; \
	MOVQ o+8(SI), BX; \
	MOVQ AX, R10; \
	LESS(AX, BX); \
	PLUS(R10, BX); \
	MOVQ o(DI), R11; \
	MOVQ o+8(DI), R12; \
	MOVQ R11, BX; \
	PLUS(BX, R12); \
	LESS(R11, R12); \
	MOVQ AX, DX; \
	PRODUCT(BX, AX); \
	MOVQ R10, DX; \
	PRODUCT(R11, BX); \
	MOVQ AX, R10; \
	PLUS(R10, BX); \
	LESS(AX, BX); \
	MOVQ R10, DX; \
	PRODUCT(R10, R11); \
	MOVQ AX, DX; \
	PRODUCT(AX, R12); \
	MOVQ o+8(R8), DX; \
	PRODUCT(R11, AX); \
	MOVQ o(R8), DX; \
	PRODUCT(R12, BX); \
	MOVQ AX, o(R9); \
	MOVQ BX, o+8(R9)

// LAZYADD is ADD for n below 2^60, where R13 is 2n.
#define LAZYADD(o) \
	MOVQ o(SI), AX; \
	MOVQ o+8(SI), BX; \
	LEAQ (AX)(BX*1), R10; \
	SUBQ BX, AX; \
	ADDQ R13, AX; \
	MOVQ o(DI), R11; \
	MOVQ o+8(DI), R12; \
	LEAQ (R11)(R12*1), BX; \
	SUBQ R12, R11; \
	ADDQ R13, R11; \
	MOVQ AX, DX; \
	LAZY(BX, AX); \
	MOVQ R10, DX; \
	LAZY(R11, BX); \
	LEAQ (AX)(BX*1), R10; \
	SUBQ BX, AX; \
	ADDQ R13, AX; \
	MOVQ R10, DX; \
	LAZY(R10, R11); \
	MOVQ AX, DX; \
	LAZY(AX, R12); \
	MOVQ o+8(R8), DX; \
	LAZY(R11, AX); \
	MOVQ o(R8), DX; \
	LAZY(R12, BX); \
	MOVQ AX, o(R9); \
	MOVQ BX, o+8(R9)

// DOUBLE is 2p on the curve at o, for any n; num/den is (A+2)/4.
#define DOUBLE(o, num, den) \
	MOVQ o(SI), AX; \
	MOVQ o+8(SI), BX; \
	MOVQ AX, DX; \
	LESS(AX, BX); \
	PLUS(DX, BX); \
	MOVQ DX, BX; \
	PRODUCT(BX, R10); \
	MOVQ AX, DX; \
	PRODUCT(AX, R11); \
	MOVQ R10, AX; \
	LESS(AX, R11); \
	MOVQ den, DX; \
	PRODUCT(R11, R11); \
	MOVQ num, DX; \
	PRODUCT(AX, R12); \
	SUM(R12, R11); \
	MOVQ R10, DX; \
	PRODUCT(R11, R10); \
	MOVQ AX, DX; \
	PRODUCT(R12, R11); \
	MOVQ R10, o(R9); \
	MOVQ R11, o+8(R9)

// LAZYDOUBLE is DOUBLE for n below 2^60, where R13 is 2n.
#define LAZYDOUBLE(o, num, den) \
	MOVQ o(SI), AX; \
	MOVQ o+8(SI), BX; \
	LEAQ (AX)(BX*1), DX; \
	SUBQ BX, AX; \
	ADDQ R13, AX; \
	MOVQ DX, BX; \
	LAZY(BX, R10); \
	MOVQ AX, DX; \
	LAZY(AX, R11); \
	MOVQ R10, AX; \
	SUBQ R11, AX; \
	ADDQ R13, AX; \
	MOVQ den, DX; \
	LAZY(R11, R11); \
	MOVQ num, DX; \
	LAZY(AX, R12); \
	ADDQ R11, R12; \
	MOVQ R10, DX; \
	LAZY(R11, R10); \
	MOVQ AX, DX; \
	LAZY(R12, R11); \
	MOVQ R10, o(R9); \
	MOVQ R11, o+8(R9)

// CONSTANTS loads n, 1/n, and the word of trioWords at third; RUNNING and STOPPED load and
// store three running products.
#define CONSTANTS(m, third) \
	MOVQ m, AX; \
	MOVQ 0(AX), R15; \
	MOVQ 8(AX), R14; \
	MOVQ third(AX), R13

#define RUNNING(at) \
	MOVQ at, AX; \
	MOVQ 0(AX), R10; \
	MOVQ 8(AX), R11; \
	MOVQ 16(AX), R12

#define STOPPED(at) \
	MOVQ at, AX; \
	MOVQ R10, 0(AX); \
	MOVQ R11, 8(AX); \
	MOVQ R12, 16(AX)

// MOVE loads the offsets of the move at BP, of points at points, and goes to double if
// it is no addition.
#define MOVE(points) \
	MOVWQZX 4(BP), DI; \
	MOVWQZX 2(BP), SI; \
	MOVWQZX 0(BP), R9; \
	MOVWQZX 6(BP), R8; \
	ADDQ $8, BP; \
	ADDQ points, SI; \
	ADDQ points, R9; \
	CMPL DI, $0xffff; \
	JEQ  double; \
	ADDQ points, DI; \
	ADDQ points, R8

// func runTrio(points *trioPoint, moves *trioMove, count int, m *trioWords)
TEXT ·runTrio(SB), NOSPLIT, $8-32
	CONSTANTS(m+24(FP), 16)
	MOVQ moves+8(FP), BP
	MOVQ count+16(FP), AX
	LEAQ (BP)(AX*8), AX
	MOVQ AX, 0(SP)
next:
	CMPQ BP, 0(SP)
	JEQ done
	MOVE(points+0(FP))
	ADD(0)
	ADD(16)
	ADD(32)
	JMP next
double:
	MOVQ m+24(FP), R8
	DOUBLE(0, 32(R8), 56(R8))
	DOUBLE(16, 40(R8), 64(R8))
	DOUBLE(32, 48(R8), 72(R8))
	JMP next
done:
	RET

// func runTrioLazy(points *trioPoint, moves *trioMove, count int, m *trioWords)
TEXT ·runTrioLazy(SB), NOSPLIT, $8-32
	CONSTANTS(m+24(FP), 24)
	MOVQ moves+8(FP), BP
	MOVQ count+16(FP), AX
	LEAQ (BP)(AX*8), AX
	MOVQ AX, 0(SP)
next:
	CMPQ BP, 0(SP)
	JEQ done
	MOVE(points+0(FP))
	LAZYADD(0)
	LAZYADD(16)
	LAZYADD(32)
	JMP next
double:
	MOVQ m+24(FP), R8
	LAZYDOUBLE(0, 32(R8), 56(R8))
	LAZYDOUBLE(16, 40(R8), 64(R8))
	LAZYDOUBLE(32, 48(R8), 72(R8))
	JMP next
done:
	RET

// Running products of z: prefixTrio leaves in xs what is before each point; suffixTrio
// multiplies that by x and by what is behind the point.

// func prefixTrio(xs *[3]uint64, points *trioPoint, count int, product *[3]uint64, m *trioWords)
TEXT ·prefixTrio(SB), NOSPLIT, $0-40
	CONSTANTS(m+32(FP), 16)
	RUNNING(product+24(FP))
	MOVQ xs+0(FP), DI
	MOVQ points+8(FP), SI
	MOVQ count+16(FP), R9
next:
	MOVQ R10, 0(DI)
	MOVQ R11, 8(DI)
	MOVQ R12, 16(DI)
	MOVQ 8(SI), DX
	PRODUCT(R10, R10)
	MOVQ 24(SI), DX
	PRODUCT(R11, R11)
	MOVQ 40(SI), DX
	PRODUCT(R12, R12)
	ADDQ $24, DI
	ADDQ $48, SI
	DECQ R9
	JNZ next
	STOPPED(product+24(FP))
	RET

// func prefixTrioLazy(xs *[3]uint64, points *trioPoint, count int, product *[3]uint64, m *trioWords)
TEXT ·prefixTrioLazy(SB), NOSPLIT, $0-40
	CONSTANTS(m+32(FP), 24)
	RUNNING(product+24(FP))
	MOVQ xs+0(FP), DI
	MOVQ points+8(FP), SI
	MOVQ count+16(FP), R9
next:
	MOVQ R10, 0(DI)
	MOVQ R11, 8(DI)
	MOVQ R12, 16(DI)
	MOVQ 8(SI), DX
	LAZY(R10, R10)
	MOVQ 24(SI), DX
	LAZY(R11, R11)
	MOVQ 40(SI), DX
	LAZY(R12, R12)
	ADDQ $24, DI
	ADDQ $48, SI
	DECQ R9
	JNZ next
	STOPPED(product+24(FP))
	RET

// func suffixTrio(xs *[3]uint64, points *trioPoint, count int, product *[3]uint64, m *trioWords)
TEXT ·suffixTrio(SB), NOSPLIT, $0-40
	CONSTANTS(m+32(FP), 16)
	RUNNING(product+24(FP))
	MOVQ count+16(FP), R9
	IMUL3Q $24, R9, AX
	MOVQ xs+0(FP), DI
	ADDQ AX, DI
	SHLQ $1, AX
	MOVQ points+8(FP), SI
	ADDQ AX, SI
next:
	SUBQ $24, DI
	SUBQ $48, SI
	MOVQ 0(DI), DX
	PRODUCT(R10, AX)
	MOVQ 0(SI), DX
	PRODUCT(AX, AX)
	MOVQ AX, 0(DI)
	MOVQ 8(DI), DX
	PRODUCT(R11, AX)
	MOVQ 16(SI), DX
	PRODUCT(AX, AX)
	MOVQ AX, 8(DI)
	MOVQ 16(DI), DX
	PRODUCT(R12, AX)
	MOVQ 32(SI), DX
	PRODUCT(AX, AX)
	MOVQ AX, 16(DI)
	MOVQ 8(SI), DX
	PRODUCT(R10, R10)
	MOVQ 24(SI), DX
	PRODUCT(R11, R11)
	MOVQ 40(SI), DX
	PRODUCT(R12, R12)
	DECQ R9
	JNZ next
	RET

// func suffixTrioLazy(xs *[3]uint64, points *trioPoint, count int, product *[3]uint64, m *trioWords)
TEXT ·suffixTrioLazy(SB), NOSPLIT, $0-40
	CONSTANTS(m+32(FP), 24)
	RUNNING(product+24(FP))
	MOVQ count+16(FP), R9
	IMUL3Q $24, R9, AX
	MOVQ xs+0(FP), DI
	ADDQ AX, DI
	SHLQ $1, AX
	MOVQ points+8(FP), SI
	ADDQ AX, SI
next:
	SUBQ $24, DI
	SUBQ $48, SI
	MOVQ 0(DI), DX
	LAZY(R10, AX)
	MOVQ 0(SI), DX
	LAZY(AX, AX)
	MOVQ AX, 0(DI)
	MOVQ 8(DI), DX
	LAZY(R11, AX)
	MOVQ 16(SI), DX
	LAZY(AX, AX)
	MOVQ AX, 8(DI)
	MOVQ 16(DI), DX
	LAZY(R12, AX)
	MOVQ 32(SI), DX
	LAZY(AX, AX)
	MOVQ AX, 16(DI)
	MOVQ 8(SI), DX
	LAZY(R10, R10)
	MOVQ 24(SI), DX
	LAZY(R11, R11)
	MOVQ 40(SI), DX
	LAZY(R12, R12)
	DECQ R9
	JNZ next
	RET

// MEET multiplies acc by what the words of the giant at DI and of the baby at SI differ by.
#define MEET(o, acc) \
	MOVQ o(DI), DX; \
	LESS(DX, o(SI)); \
	PRODUCT(acc, acc)

// LAZYMEET is MEET for n below 2^60, where R13 is 2n.
#define LAZYMEET(o, acc) \
	MOVQ o(DI), DX; \
	SUBQ o(SI), DX; \
	ADDQ R13, DX; \
	LAZY(acc, acc)

// MEETING sets DI and SI to the giant and the baby of the meeting at o(R9), whose x are
// at xs.
#define MEETING(o, xs) \
	MOVWQZX o(R9), DI; \
	MOVWQZX o+2(R9), SI; \
	ADDQ xs, DI; \
	ADDQ xs, SI

// func meetTrio(acc *[6]uint64, xs *[3]uint64, list *meeting, count int, m *trioWords)
TEXT ·meetTrio(SB), NOSPLIT, $8-40
	CONSTANTS(m+32(FP), 16)
	MOVQ acc+0(FP), AX
	MOVQ 0(AX), R10
	MOVQ 8(AX), R11
	MOVQ 16(AX), R12
	MOVQ 24(AX), R8
	MOVQ 32(AX), BP
	MOVQ 40(AX), BX
	MOVQ xs+8(FP), AX
	MOVQ list+16(FP), R9
next:
	MEETING(0, AX)
	MEET(0, R10)
	MEET(8, R11)
	MEET(16, R12)
	MEETING(4, AX)
	MEET(0, R8)
	MEET(8, BP)
	MEET(16, BX)
	ADDQ $8, R9
	SUBQ $2, count+24(FP)
	JNZ next
	MOVQ acc+0(FP), AX
	MOVQ R10, 0(AX)
	MOVQ R11, 8(AX)
	MOVQ R12, 16(AX)
	MOVQ R8, 24(AX)
	MOVQ BP, 32(AX)
	MOVQ BX, 40(AX)
	RET

// func meetTrioLazy(acc *[6]uint64, xs *[3]uint64, list *meeting, count int, m *trioWords)
TEXT ·meetTrioLazy(SB), NOSPLIT, $8-40
	CONSTANTS(m+32(FP), 24)
	MOVQ acc+0(FP), AX
	MOVQ 0(AX), R10
	MOVQ 8(AX), R11
	MOVQ 16(AX), R12
	MOVQ 24(AX), R8
	MOVQ 32(AX), BP
	MOVQ 40(AX), BX
	MOVQ xs+8(FP), AX
	MOVQ list+16(FP), R9
next:
	MEETING(0, AX)
	LAZYMEET(0, R10)
	LAZYMEET(8, R11)
	LAZYMEET(16, R12)
	MEETING(4, AX)
	LAZYMEET(0, R8)
	LAZYMEET(8, BP)
	LAZYMEET(16, BX)
	ADDQ $8, R9
	SUBQ $2, count+24(FP)
	JNZ next
	MOVQ acc+0(FP), AX
	MOVQ R10, 0(AX)
	MOVQ R11, 8(AX)
	MOVQ R12, 16(AX)
	MOVQ R8, 24(AX)
	MOVQ BP, 32(AX)
	MOVQ BX, 40(AX)
	RET
