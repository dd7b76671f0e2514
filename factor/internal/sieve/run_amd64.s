//go:build !purego

#include "textflag.h"

// func runASM(block *byte, primes, pos1, pos2 *uint16, logs *uint8, count, times, end int)
TEXT ·runASM(SB), NOSPLIT, $0-64
	MOVQ block+0(FP), DI
	MOVQ primes+8(FP), SI
	MOVQ pos1+16(FP), R12
	MOVQ pos2+24(FP), R13
	MOVQ logs+32(FP), BX
	XORL CX, CX

prime:
	CMPQ CX, count+40(FP)
	JGE  done
	MOVWLZX (SI)(CX*2), R8
	MOVWLZX (R12)(CX*2), R9
	MOVWLZX (R13)(CX*2), R10
	MOVBLZX (BX)(CX*1), R11
	MOVQ    times+48(FP), DX
	TESTQ   DX, DX
	JEQ     last

hit:
	ADDB R11, (DI)(R9*1)
	ADDB R11, (DI)(R10*1)
	ADDQ R8, R9
	ADDQ R8, R10
	DECQ DX
	JNE  hit

last:
	// One more hit of the log, or of zero if it is outside of the block.
	MOVQ R9, AX
	SUBQ end+56(FP), AX
	MOVQ AX, DX
	SARQ $63, DX
	MOVL DX, R15
	ANDL R11, R15
	ANDL $32767, R9
	ADDB R15, (DI)(R9*1)
	ANDL R8, DX
	ADDL DX, AX
	MOVW AX, (R12)(CX*2)
	MOVQ R10, AX
	SUBQ end+56(FP), AX
	MOVQ AX, DX
	SARQ $63, DX
	MOVL DX, R15
	ANDL R11, R15
	ANDL $32767, R10
	ADDB R15, (DI)(R10*1)
	ANDL R8, DX
	ADDL DX, AX
	MOVW AX, (R13)(CX*2)
	INCQ CX
	JMP  prime

done:
	RET
