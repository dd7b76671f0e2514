//go:build !purego

#include "textflag.h"

// Three curves in step modulo two words; see curveTrio128. BP is trioWords128, and points
// have 32 bytes a curve. Residues are below 2n, and sums of two of them may be
// multiplied: 16n < R.

// MUL sets zo(z) to x*y/R. R8, R9, R10, BX, CX and DX are lost.
#define MUL(zo, z, xo, x, yo, y) \
	MOVQ (yo)(y), DX; \
	MULXQ (xo)(x), R8, R9; \
	MULXQ (xo+8)(x), BX, R10; \
	ADDQ BX, R9; \
	ADCQ $0, R10; \
	MOVQ R8, DX; \
	IMULQ 0(BP), DX; \
	XORL CX, CX; \
	MULXQ 8(BP), BX, CX; \
	ADCXQ BX, R8; \
	ADOXQ CX, R9; \
	MULXQ 16(BP), BX, CX; \
	ADCXQ BX, R9; \
	ADOXQ CX, R10; \
	MOVL $0, BX; \
	ADCXQ BX, R10; \
	MOVQ (yo+8)(y), DX; \
	XORL CX, CX; \
	MULXQ (xo)(x), BX, CX; \
	ADCXQ BX, R9; \
	ADOXQ CX, R10; \
	MULXQ (xo+8)(x), BX, R8; \
	ADCXQ BX, R10; \
	MOVL $0, BX; \
	ADOXQ BX, R8; \
	ADCXQ BX, R8; \
	MOVQ R9, DX; \
	IMULQ 0(BP), DX; \
	XORL CX, CX; \
	MULXQ 8(BP), BX, CX; \
	ADCXQ BX, R9; \
	ADOXQ CX, R10; \
	MULXQ 16(BP), BX, CX; \
	ADCXQ BX, R10; \
	ADOXQ CX, R8; \
	MOVL $0, BX; \
	ADCXQ BX, R8; \
	MOVQ R10, (zo)(z); \
	MOVQ R8, (zo+8)(z)

// SUM sets zo(z) to x + y, and LESS to x - y + 2n.
#define SUM(zo, z, xo, x, yo, y) \
	MOVQ (xo)(x), AX; \
	MOVQ (xo+8)(x), BX; \
	ADDQ (yo)(y), AX; \
	ADCQ (yo+8)(y), BX; \
	MOVQ AX, (zo)(z); \
	MOVQ BX, (zo+8)(z)

#define LESS(zo, z, xo, x, yo, y) \
	MOVQ (xo)(x), AX; \
	MOVQ (xo+8)(x), BX; \
	SUBQ (yo)(y), AX; \
	SBBQ (yo+8)(y), BX; \
	ADDQ 24(BP), AX; \
	ADCQ 32(BP), BX; \
	MOVQ AX, (zo)(z); \
	MOVQ BX, (zo+8)(z)

// COPY sets zo(z) to xo(x).
#define COPY(zo, z, xo, x) \
	MOVQ (xo)(x), AX; \
	MOVQ (xo+8)(x), BX; \
	MOVQ AX, (zo)(z); \
	MOVQ BX, (zo+8)(z)

// ADD sets R12 to SI + DI, where R11 is the difference, on the curve at o.
#define ADD(o) \
	LESS(0, SP, o, SI, o+16, SI); \
	SUM(16, SP, o, DI, o+16, DI); \
	MUL(0, SP, 0, SP, 16, SP); \
	SUM(16, SP, o, SI, o+16, SI); \
	LESS(32, SP, o, DI, o+16, DI); \
	MUL(16, SP, 16, SP, 32, SP); \
	SUM(32, SP, 0, SP, 16, SP); \
	LESS(48, SP, 0, SP, 16, SP); \
	MUL(32, SP, 32, SP, 32, SP); \
	MUL(48, SP, 48, SP, 48, SP); \
	MUL(32, SP, 32, SP, o+16, R11); \
	MUL(o+16, R12, 48, SP, o, R11); \
	COPY(o, R12, 32, SP)

// DOUBLE sets R12 to 2 SI on the curve at o, where (A+2)/4 is the quotient of num(BP) and den(BP).
#define DOUBLE(o, num, den) \
	SUM(0, SP, o, SI, o+16, SI); \
	LESS(16, SP, o, SI, o+16, SI); \
	MUL(0, SP, 0, SP, 0, SP); \
	MUL(16, SP, 16, SP, 16, SP); \
	LESS(32, SP, 0, SP, 16, SP); \
	MUL(16, SP, 16, SP, den, BP); \
	MUL(o, R12, 0, SP, 16, SP); \
	MUL(48, SP, 32, SP, num, BP); \
	SUM(48, SP, 48, SP, 16, SP); \
	MUL(o+16, R12, 32, SP, 48, SP)

// func runTrio128(points *trioPoint128, moves *trioMove, count int, m *trioWords128)
TEXT ·runTrio128(SB), NOSPLIT, $64-32
	MOVQ points+0(FP), R14
	MOVQ moves+8(FP), R13
	MOVQ count+16(FP), AX
	LEAQ (R13)(AX*8), R15
	MOVQ m+24(FP), BP
next:
	CMPQ R13, R15
	JEQ done
	MOVWQZX 0(R13), R12
	MOVWQZX 2(R13), SI
	MOVWQZX 4(R13), DI
	MOVWQZX 6(R13), R11
	ADDQ $8, R13
	LEAQ (R14)(R12*2), R12 // offsets are those of points of one word
	LEAQ (R14)(SI*2), SI
	CMPL DI, $0xffff
	JEQ double
	LEAQ (R14)(DI*2), DI
	LEAQ (R14)(R11*2), R11
	ADD(0)
	ADD(32)
	ADD(64)
	JMP next
double:
	DOUBLE(0, 40, 88)
	DOUBLE(32, 56, 104)
	DOUBLE(64, 72, 120)
	JMP next
done:
	RET

// func prefixTrio128(xs *[lanes][2]uint64, points *trioPoint128, count int, product *[lanes][2]uint64, m *trioWords128)
TEXT ·prefixTrio128(SB), NOSPLIT, $8-40
	MOVQ xs+0(FP), DI
	MOVQ points+8(FP), SI
	MOVQ count+16(FP), R13
	MOVQ product+24(FP), R11
	MOVQ m+32(FP), BP
next:
	COPY(0, DI, 0, R11)
	COPY(16, DI, 16, R11)
	COPY(32, DI, 32, R11)
	MUL(0, R11, 0, R11, 16, SI)
	MUL(16, R11, 16, R11, 48, SI)
	MUL(32, R11, 32, R11, 80, SI)
	ADDQ $48, DI
	ADDQ $96, SI
	DECQ R13
	JNZ next
	RET

// BACK multiplies x at xo(DI) by the product and by x of the point at o(SI), and the product by its z.
#define BACK(xo, o) \
	MUL(xo, DI, xo, DI, xo, R11); \
	MUL(xo, DI, xo, DI, o, SI); \
	MUL(xo, R11, xo, R11, o+16, SI)

// func suffixTrio128(xs *[lanes][2]uint64, points *trioPoint128, count int, product *[lanes][2]uint64, m *trioWords128)
TEXT ·suffixTrio128(SB), NOSPLIT, $8-40
	MOVQ count+16(FP), R13
	IMUL3Q $48, R13, AX
	MOVQ xs+0(FP), DI
	ADDQ AX, DI
	SHLQ $1, AX
	MOVQ points+8(FP), SI
	ADDQ AX, SI
	MOVQ product+24(FP), R11
	MOVQ m+32(FP), BP
next:
	SUBQ $48, DI
	SUBQ $96, SI
	BACK(0, 0)
	BACK(16, 32)
	BACK(32, 64)
	DECQ R13
	JNZ next
	RET

// MEET multiplies ao(R11) by what the x at o of the giant at DI and of the baby at SI
// differ by.
#define MEET(ao, o) \
	LESS(0, SP, o, DI, o, SI); \
	MUL(ao, R11, ao, R11, 0, SP)

// MEETING sets DI and SI to the giant and the baby of the meeting at o(R13).
#define MEETING(o) \
	MOVWQZX o(R13), DI; \
	MOVWQZX o+2(R13), SI; \
	LEAQ (R14)(DI*2), DI; \
	LEAQ (R14)(SI*2), SI

// func meetTrio128(acc *[2 * lanes][2]uint64, xs *[lanes][2]uint64, list *meeting, count int, m *trioWords128)
TEXT ·meetTrio128(SB), NOSPLIT, $16-40
	MOVQ acc+0(FP), R11
	MOVQ xs+8(FP), R14
	MOVQ list+16(FP), R13
	MOVQ count+24(FP), R12
	MOVQ m+32(FP), BP
next:
	MEETING(0)
	MEET(0, 0)
	MEET(16, 16)
	MEET(32, 32)
	MEETING(4)
	MEET(48, 0)
	MEET(64, 16)
	MEET(80, 32)
	ADDQ $8, R13
	SUBQ $2, R12
	JNZ next
	RET
