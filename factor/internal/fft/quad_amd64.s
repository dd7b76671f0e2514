//go:build !purego

#include "textflag.h"

// Vectors are residues modulo the four primes of a quad. Y14 holds p, Y15 1/p.
#define primes(m) \
	VMOVUPD (m), Y14  \
	VMOVUPD 32(m), Y15

// times takes x to x w modulo p; over is w/p; h and t are scratch.
#define times(x, w, over, h, t) \
	VMULPD       w, x, h     \
	VMULPD       over, x, t  \
	VROUNDPD     $8, t, t    \
	VFMSUB213PD  h, w, x     \
	VFNMADD231PD Y14, t, h   \
	VADDPD       h, x, x

// lessen takes x to x modulo p, up to p/2.
#define lessen(x, t) \
	VMULPD       Y15, x, t  \
	VROUNDPD     $8, t, t   \
	VFNMADD231PD Y14, t, x

// func quadForward2(a *quad, blocks, l int, roots *quad, group *quadGroup)
TEXT ·quadForward2(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ group+32(FP), DX
	primes(DX)
	MOVQ R8, R9
	SHLQ $5, R9             // bytes of half a block

block:
	VMOVUPD (SI), Y8
	VMOVUPD 32(SI), Y9
	MOVQ R8, CX

loop:
	VMOVUPD (DI), Y0
	VMOVUPD (DI)(R9*1), Y1
	lessen(Y0, Y4)
	times(Y1, Y8, Y9, Y5, Y6)
	VADDPD  Y1, Y0, Y2
	VSUBPD  Y1, Y0, Y3
	VMOVUPD Y2, (DI)
	VMOVUPD Y3, (DI)(R9*1)
	ADDQ $32, DI
	DECQ CX
	JNZ  loop

	ADDQ R9, DI
	ADDQ $64, SI
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func quadInverse2(a *quad, blocks, l int, roots *quad, group *quadGroup)
TEXT ·quadInverse2(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ group+32(FP), DX
	primes(DX)
	MOVQ R8, R9
	SHLQ $5, R9

block:
	VMOVUPD (SI), Y8
	VMOVUPD 32(SI), Y9
	MOVQ R8, CX

loop:
	VMOVUPD (DI), Y0
	VMOVUPD (DI)(R9*1), Y1
	VADDPD  Y1, Y0, Y2
	VSUBPD  Y1, Y0, Y3
	lessen(Y2, Y4)
	times(Y3, Y8, Y9, Y5, Y6)
	VMOVUPD Y2, (DI)
	VMOVUPD Y3, (DI)(R9*1)
	ADDQ $32, DI
	DECQ CX
	JNZ  loop

	ADDQ R9, DI
	ADDQ $64, SI
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func quadForward4(a *quad, blocks, l int, roots, next *quad, group *quadGroup)
TEXT ·quadForward4(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ next+32(FP), R10
	MOVQ group+40(FP), DX
	primes(DX)
	MOVQ R8, R9
	SHLQ $5, R9             // bytes of a quarter of a block
	LEAQ (R9)(R9*2), R11    // of three

block:
	VMOVUPD (SI), Y8
	VMOVUPD 32(SI), Y9
	VMOVUPD (R10), Y10
	VMOVUPD 32(R10), Y11
	VMOVUPD 64(R10), Y12
	VMOVUPD 96(R10), Y13
	MOVQ R8, CX

loop:
	VMOVUPD (DI)(R9*2), Y2
	VMOVUPD (DI)(R11*1), Y3
	VMOVUPD (DI), Y0
	VMOVUPD (DI)(R9*1), Y1
	times(Y3, Y8, Y9, Y6, Y7)
	times(Y2, Y8, Y9, Y4, Y5)
	VSUBPD Y3, Y1, Y6       // x1 - x3
	VADDPD Y3, Y1, Y1       // x1 + x3
	lessen(Y0, Y7)
	times(Y6, Y12, Y13, Y3, Y7)
	times(Y1, Y10, Y11, Y4, Y5)
	VSUBPD Y2, Y0, Y3       // x0 - x2
	VADDPD Y2, Y0, Y0       // x0 + x2
	VADDPD Y1, Y0, Y2
	VSUBPD Y1, Y0, Y4
	VADDPD Y6, Y3, Y5
	VSUBPD Y6, Y3, Y7
	VMOVUPD Y2, (DI)
	VMOVUPD Y4, (DI)(R9*1)
	VMOVUPD Y5, (DI)(R9*2)
	VMOVUPD Y7, (DI)(R11*1)
	ADDQ $32, DI
	DECQ CX
	JNZ  loop

	ADDQ R11, DI
	ADDQ $64, SI
	ADDQ $128, R10
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func quadGrow(a *quad, l int, roots *quad, group *quadGroup)
TEXT ·quadGrow(SB), NOSPLIT, $0-32
	MOVQ a+0(FP), DI
	MOVQ l+8(FP), R8
	MOVQ roots+16(FP), SI
	MOVQ group+24(FP), DX
	primes(DX)
	VMOVUPD (SI), Y8
	VMOVUPD 32(SI), Y9
	MOVQ R8, R9
	SHLQ $5, R9             // bytes of a quarter
	LEAQ (R9)(R9*2), R11    // of three

loop:
	VMOVUPD (DI), Y0
	VMOVUPD (DI)(R9*1), Y1
	VADDPD  Y1, Y0, Y2
	VSUBPD  Y1, Y0, Y3
	times(Y1, Y8, Y9, Y4, Y5)
	VMOVUPD Y2, (DI)
	VMOVUPD Y3, (DI)(R9*1)
	VADDPD  Y1, Y0, Y6
	VSUBPD  Y1, Y0, Y7
	VMOVUPD Y6, (DI)(R9*2)
	VMOVUPD Y7, (DI)(R11*1)
	ADDQ $32, DI
	DECQ R8
	JNZ  loop
	VZEROUPPER
	RET

// func quadInverse4(a *quad, blocks, l int, roots, next *quad, group *quadGroup)
TEXT ·quadInverse4(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ next+32(FP), R10
	MOVQ group+40(FP), DX
	primes(DX)
	MOVQ R8, R9
	SHLQ $5, R9
	LEAQ (R9)(R9*2), R11

block:
	VMOVUPD (SI), Y8
	VMOVUPD 32(SI), Y9
	VMOVUPD (R10), Y10
	VMOVUPD 32(R10), Y11
	VMOVUPD 64(R10), Y12
	VMOVUPD 96(R10), Y13
	MOVQ R8, CX

loop:
	VMOVUPD (DI), Y0
	VMOVUPD (DI)(R9*1), Y1
	VMOVUPD (DI)(R9*2), Y2
	VMOVUPD (DI)(R11*1), Y3
	VADDPD Y1, Y0, Y4       // x0 + x1
	VSUBPD Y1, Y0, Y0       // x0 - x1
	VADDPD Y3, Y2, Y5       // x2 + x3
	VSUBPD Y3, Y2, Y2       // x2 - x3
	times(Y0, Y10, Y11, Y1, Y3)
	times(Y2, Y12, Y13, Y6, Y7)
	lessen(Y4, Y1)
	lessen(Y5, Y3)
	VADDPD Y2, Y0, Y1       // of the odd ones
	VSUBPD Y2, Y0, Y0
	VADDPD Y5, Y4, Y2       // of the even ones
	VSUBPD Y5, Y4, Y4
	VMOVUPD Y2, (DI)
	lessen(Y1, Y3)
	VMOVUPD Y1, (DI)(R9*1)
	times(Y4, Y8, Y9, Y6, Y7)
	times(Y0, Y8, Y9, Y3, Y5)
	VMOVUPD Y4, (DI)(R9*2)
	VMOVUPD Y0, (DI)(R11*1)
	ADDQ $32, DI
	DECQ CX
	JNZ  loop

	ADDQ R11, DI
	ADDQ $64, SI
	ADDQ $128, R10
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func quadMultiply(z, x, y *quad, count int, group *quadGroup)
TEXT ·quadMultiply(SB), NOSPLIT, $0-40
	MOVQ z+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), R8
	MOVQ count+24(FP), CX
	MOVQ group+32(FP), DX
	primes(DX)

loop:
	VMOVUPD      (SI), Y0
	VMOVUPD      (R8), Y1
	lessen(Y0, Y2)
	lessen(Y1, Y3)
	VMULPD       Y1, Y0, Y2
	VMULPD       Y15, Y2, Y3
	VROUNDPD     $8, Y3, Y3
	VFMSUB213PD  Y2, Y1, Y0
	VFNMADD231PD Y14, Y3, Y2
	VADDPD       Y0, Y2, Y2
	VMOVUPD      Y2, (DI)
	ADDQ         $32, SI
	ADDQ         $32, R8
	ADDQ         $32, DI
	DECQ         CX
	JNZ          loop
	VZEROUPPER
	RET

DATA quadTwo52<>+0(SB)/8, $0x4330000000000000
GLOBL quadTwo52<>(SB), RODATA|NOPTR, $8
DATA quadMask28<>+0(SB)/8, $0xfffffff
GLOBL quadMask28<>(SB), RODATA|NOPTR, $8
DATA quadHigh24<>+0(SB)/8, $0xffffff00000000
GLOBL quadHigh24<>(SB), RODATA|NOPTR, $8
DATA quadTwo26<>+0(SB)/8, $0x4190000000000000
DATA quadTwo26<>+8(SB)/8, $0x4190000000000000
DATA quadTwo26<>+16(SB)/8, $0x4190000000000000
DATA quadTwo26<>+24(SB)/8, $0x4190000000000000
DATA quadMask26<>+0(SB)/8, $0x3ffffff
DATA quadMask26<>+8(SB)/8, $0x3ffffff
DATA quadMask26<>+16(SB)/8, $0x3ffffff
DATA quadMask26<>+24(SB)/8, $0x3ffffff
DATA quadMask32<>+0(SB)/8, $0xffffffff
DATA quadMask32<>+8(SB)/8, $0xffffffff
DATA quadMask32<>+16(SB)/8, $0xffffffff
DATA quadMask32<>+24(SB)/8, $0xffffffff
GLOBL quadTwo26<>(SB), RODATA|NOPTR, $32
GLOBL quadMask26<>(SB), RODATA|NOPTR, $32
GLOBL quadMask32<>(SB), RODATA|NOPTR, $32

// addHalves adds the products of the halves of words at o(R11) of four coefficients and the
// powers at lo(R12) and hi(R12).
#define addHalves(o, lo, hi) \
	VMOVDQU      lo(R12), Y11      \
	VMOVDQU      hi(R12), Y12      \
	VPBROADCASTD o(R11), Y8        \
	VPMULUDQ     Y11, Y8, Y9       \
	VPMULUDQ     Y12, Y8, Y10      \
	VPADDQ       Y9, Y0, Y0        \
	VPADDQ       Y10, Y1, Y1       \
	VPBROADCASTD o(R11)(R8*1), Y8  \
	VPMULUDQ     Y11, Y8, Y9       \
	VPMULUDQ     Y12, Y8, Y10      \
	VPADDQ       Y9, Y2, Y2        \
	VPADDQ       Y10, Y3, Y3       \
	VPBROADCASTD o(R11)(R8*2), Y8  \
	VPMULUDQ     Y11, Y8, Y9       \
	VPMULUDQ     Y12, Y8, Y10      \
	VPADDQ       Y9, Y4, Y4        \
	VPADDQ       Y10, Y5, Y5       \
	VPBROADCASTD o(R11)(R13*1), Y8 \
	VPMULUDQ     Y11, Y8, Y9       \
	VPMULUDQ     Y12, Y8, Y10      \
	VPADDQ       Y9, Y6, Y6        \
	VPADDQ       Y10, Y7, Y7

// finish sets Y9 to lo + 2^26 hi modulo the primes.
#define finish(lo, hi) \
	VPSRLQ $26, lo, Y9 \
	VPADDQ Y9, hi, hi \
	VPAND  quadMask26<>(SB), lo, lo \
	VPSRLQ $32, hi, Y9 \
	VPAND  quadMask32<>(SB), hi, hi \
	VPOR   Y13, lo, lo \
	VPOR   Y13, hi, hi \
	VPOR   Y13, Y9, Y9 \
	VSUBPD Y13, lo, lo \
	VSUBPD Y13, hi, hi \
	VSUBPD Y13, Y9, Y9 \
	VMULPD quadTwo26<>(SB), hi, hi \
	VMOVUPD 64(DX), Y8 \
	times(Y9, Y8, 96(DX), Y10, Y11) \
	lessen(hi, Y12) \
	VADDPD hi, Y9, Y9 \
	VADDPD lo, Y9, Y9

// func quadSpread(a *quad, coefs *uint64, count, k, halves int, powers *uint64, group *quadGroup)
TEXT ·quadSpread(SB), NOSPLIT, $0-56
	MOVQ a+0(FP), DI
	MOVQ coefs+8(FP), SI
	MOVQ count+16(FP), BX
	MOVQ k+24(FP), R8
	MOVQ halves+32(FP), R9
	MOVQ powers+40(FP), R10
	MOVQ group+48(FP), DX
	primes(DX)
	VBROADCASTSD quadTwo52<>(SB), Y13
	SHLQ $3, R8             // bytes of a coefficient
	SHRQ $1, R9             // words of it that count
	LEAQ (R8)(R8*2), R13    // of three

four:
	CMPQ BX, $4
	JLT  one
	VPXOR Y0, Y0, Y0        // low, high, and so for the next ones
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	MOVQ SI, R11
	MOVQ R10, R12
	MOVQ R9, CX

words:
	addHalves(0, 0, 32)
	addHalves(4, 64, 96)
	ADDQ $8, R11
	ADDQ $128, R12
	DECQ CX
	JNZ  words

	finish(Y0, Y1)
	VMOVUPD Y9, (DI)
	finish(Y2, Y3)
	VMOVUPD Y9, 32(DI)
	finish(Y4, Y5)
	VMOVUPD Y9, 64(DI)
	finish(Y6, Y7)
	VMOVUPD Y9, 96(DI)
	ADDQ $128, DI
	LEAQ (SI)(R8*4), SI
	SUBQ $4, BX
	JMP  four

one:
	TESTQ BX, BX
	JZ    done
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	MOVQ SI, R11
	MOVQ R10, R12
	MOVQ R9, CX

word:
	VPBROADCASTD (R11), Y2
	VPMULUDQ     (R12), Y2, Y3
	VPMULUDQ     32(R12), Y2, Y4
	VPBROADCASTD 4(R11), Y5
	VPMULUDQ     64(R12), Y5, Y6
	VPMULUDQ     96(R12), Y5, Y7
	VPADDQ       Y3, Y0, Y0
	VPADDQ       Y4, Y1, Y1
	VPADDQ       Y6, Y0, Y0
	VPADDQ       Y7, Y1, Y1
	ADDQ         $8, R11
	ADDQ         $128, R12
	DECQ         CX
	JNZ          word

	finish(Y0, Y1)
	VMOVUPD Y9, (DI)
	ADDQ $32, DI
	ADDQ R8, SI
	DECQ BX
	JMP  one

done:
	VZEROUPPER
	RET

// func quadDigits(y *uint64, a *quad, count, stride int, scale, share *quad, group *quadGroup)
TEXT ·quadDigits(SB), NOSPLIT, $0-56
	MOVQ y+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ count+16(FP), CX
	MOVQ stride+24(FP), R8
	MOVQ scale+32(FP), R9
	MOVQ share+40(FP), R10
	MOVQ group+48(FP), DX
	primes(DX)
	VMOVUPD (R9), Y8
	VMOVUPD 32(R9), Y9
	VBROADCASTSD quadTwo52<>(SB), Y13
	VPBROADCASTQ quadMask28<>(SB), Y11
	VPBROADCASTQ quadHigh24<>(SB), Y10
	VXORPD Y12, Y12, Y12
	SHLQ $3, R8

loop:
	VMOVUPD      (SI), Y0
	times(Y0, Y8, Y9, Y1, Y2)
	VCMPPD       $1, Y12, Y0, Y3    // below zero
	VANDPD       Y14, Y3, Y3
	VADDPD       Y3, Y0, Y0
	VMOVUPD      (R10), Y4
	VFMADD231PD  Y15, Y0, Y4
	VMOVUPD      Y4, (R10)
	VADDPD       Y13, Y0, Y0        // its bits
	VPSLLQ       $4, Y0, Y1
	VPAND        Y11, Y0, Y0
	VPAND        Y10, Y1, Y1
	VPOR         Y1, Y0, Y0
	VMOVDQU      Y0, (DI)
	ADDQ         R8, DI
	ADDQ         $32, SI
	ADDQ         $32, R10
	DECQ         CX
	JNZ          loop
	VZEROUPPER
	RET

// func quadGather(lo, hi, y *uint64, count int, rows *uint64, width int)
TEXT ·quadGather(SB), NOSPLIT, $0-48
	MOVQ lo+0(FP), DI
	MOVQ hi+8(FP), SI
	MOVQ y+16(FP), R8
	MOVQ count+24(FP), R9
	MOVQ rows+32(FP), R10
	MOVQ width+40(FP), BX
	MOVQ BX, R11
	SHLQ $3, R11            // bytes of a row

wide:
	CMPQ BX, $16
	JLT  narrow
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	MOVQ R8, R12
	MOVQ R10, R13
	MOVQ R9, CX

row16:
	VPBROADCASTD (R12), Y8
	VPBROADCASTD 4(R12), Y9
	VMOVDQU  (R13), Y10
	VMOVDQU  32(R13), Y11
	VPMULUDQ Y10, Y8, Y12
	VPMULUDQ Y10, Y9, Y13
	VPMULUDQ Y11, Y8, Y14
	VPMULUDQ Y11, Y9, Y15
	VPADDQ   Y12, Y0, Y0
	VPADDQ   Y13, Y4, Y4
	VPADDQ   Y14, Y1, Y1
	VPADDQ   Y15, Y5, Y5
	VMOVDQU  64(R13), Y10
	VMOVDQU  96(R13), Y11
	VPMULUDQ Y10, Y8, Y12
	VPMULUDQ Y10, Y9, Y13
	VPMULUDQ Y11, Y8, Y14
	VPMULUDQ Y11, Y9, Y15
	VPADDQ   Y12, Y2, Y2
	VPADDQ   Y13, Y6, Y6
	VPADDQ   Y14, Y3, Y3
	VPADDQ   Y15, Y7, Y7
	ADDQ     $8, R12
	ADDQ     R11, R13
	DECQ     CX
	JNZ      row16

	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	VMOVDQU Y4, (SI)
	VMOVDQU Y5, 32(SI)
	VMOVDQU Y6, 64(SI)
	VMOVDQU Y7, 96(SI)
	ADDQ $128, DI
	ADDQ $128, SI
	ADDQ $128, R10
	SUBQ $16, BX
	JMP  wide

narrow:                    // 8 limbs or none
	TESTQ BX, BX
	JZ    done
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	MOVQ R8, R12
	MOVQ R10, R13
	MOVQ R9, CX

row8:
	VPBROADCASTD (R12), Y8
	VPBROADCASTD 4(R12), Y9
	VMOVDQU  (R13), Y10
	VMOVDQU  32(R13), Y11
	VPMULUDQ Y10, Y8, Y12
	VPMULUDQ Y10, Y9, Y13
	VPMULUDQ Y11, Y8, Y14
	VPMULUDQ Y11, Y9, Y15
	VPADDQ   Y12, Y0, Y0
	VPADDQ   Y13, Y4, Y4
	VPADDQ   Y14, Y1, Y1
	VPADDQ   Y15, Y5, Y5
	ADDQ     $8, R12
	ADDQ     R11, R13
	DECQ     CX
	JNZ      row8

	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y4, (SI)
	VMOVDQU Y5, 32(SI)

done:
	VZEROUPPER
	RET

// func quadReduce(z, t, lo, hi *uint64, width int, n *uint64, k int, neg uint64)
TEXT ·quadReduce(SB), NOSPLIT, $0-64
	MOVQ t+8(FP), DI
	MOVQ lo+16(FP), SI
	MOVQ hi+24(FP), R8
	MOVQ width+32(FP), R9
	XORL BX, BX             // carry
	MOVQ $0xfffffff, R14

	// 16 limbs of 28 bits are 7 words.
limbs:
	MOVQ 0(SI), AX
	ADDQ 0(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, R13
	MOVQ 8(SI), AX
	ADDQ 8(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $28, AX
	ORQ AX, R13
	MOVQ 16(SI), AX
	ADDQ 16(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, DX
	SHLQ $56, AX
	ORQ AX, R13
	MOVQ R13, 0(DI)
	SHRQ $8, DX
	MOVQ DX, R13
	MOVQ 24(SI), AX
	ADDQ 24(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $20, AX
	ORQ AX, R13
	MOVQ 32(SI), AX
	ADDQ 32(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, DX
	SHLQ $48, AX
	ORQ AX, R13
	MOVQ R13, 8(DI)
	SHRQ $16, DX
	MOVQ DX, R13
	MOVQ 40(SI), AX
	ADDQ 40(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $12, AX
	ORQ AX, R13
	MOVQ 48(SI), AX
	ADDQ 48(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, DX
	SHLQ $40, AX
	ORQ AX, R13
	MOVQ R13, 16(DI)
	SHRQ $24, DX
	MOVQ DX, R13
	MOVQ 56(SI), AX
	ADDQ 56(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $4, AX
	ORQ AX, R13
	CMPQ R9, $8
	JE eight
	MOVQ 64(SI), AX
	ADDQ 64(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $32, AX
	ORQ AX, R13
	MOVQ 72(SI), AX
	ADDQ 72(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, DX
	SHLQ $60, AX
	ORQ AX, R13
	MOVQ R13, 24(DI)
	SHRQ $4, DX
	MOVQ DX, R13
	MOVQ 80(SI), AX
	ADDQ 80(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $24, AX
	ORQ AX, R13
	MOVQ 88(SI), AX
	ADDQ 88(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, DX
	SHLQ $52, AX
	ORQ AX, R13
	MOVQ R13, 32(DI)
	SHRQ $12, DX
	MOVQ DX, R13
	MOVQ 96(SI), AX
	ADDQ 96(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $16, AX
	ORQ AX, R13
	MOVQ 104(SI), AX
	ADDQ 104(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	MOVQ AX, DX
	SHLQ $44, AX
	ORQ AX, R13
	MOVQ R13, 40(DI)
	SHRQ $20, DX
	MOVQ DX, R13
	MOVQ 112(SI), AX
	ADDQ 112(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $8, AX
	ORQ AX, R13
	MOVQ 120(SI), AX
	ADDQ 120(R8), AX
	ADDQ BX, AX
	MOVQ AX, BX
	SHRQ $28, BX
	ANDQ R14, AX
	SHLQ $36, AX
	ORQ AX, R13
	MOVQ R13, 48(DI)
	ADDQ $128, SI
	ADDQ $128, R8
	ADDQ $56, DI
	SUBQ $16, R9
	JNZ  limbs
	MOVQ BX, (DI)
	JMP  montgomery

eight:                     // R13 has 32 bits
	MOVQ BX, DX
	SHLQ $32, BX
	SHRQ $32, DX
	ORQ  BX, R13
	MOVQ R13, 24(DI)
	MOVQ DX, 32(DI)

montgomery:
	MOVQ z+0(FP), DI
	MOVQ t+8(FP), SI
	MOVQ n+40(FP), R8
	MOVQ k+48(FP), R9
	MOVQ neg+56(FP), R10
	IMULQ (SI), R10         // what times n makes the lowest word zero
	MOVQ (R8), AX
	MULQ R10
	ADDQ (SI), AX
	ADCQ $0, DX
	MOVQ DX, R11            // carry
	MOVQ $1, CX

word:
	MOVQ (R8)(CX*8), AX
	MULQ R10
	ADDQ (SI)(CX*8), AX
	ADCQ $0, DX
	ADDQ R11, AX
	ADCQ $0, DX
	MOVQ AX, -8(DI)(CX*8)
	MOVQ DX, R11
	INCQ CX
	CMPQ CX, R9
	JLT  word

	XORL DX, DX
	ADDQ (SI)(CX*8), R11
	ADCQ $0, DX
	MOVQ R11, -8(DI)(CX*8)
	CMPQ R11, -8(R8)(CX*8)  // the highest words tell nearly always
	JAE  compare
	TESTQ DX, DX
	JNZ  compare
	RET

compare:                   // n or more, perhaps: to t, and from there if so
	MOVQ R9, CX
	XORL BX, BX             // clears the carry

minus:
	MOVQ (DI)(BX*8), AX
	SBBQ (R8)(BX*8), AX
	MOVQ AX, (SI)(BX*8)
	INCQ BX
	DECQ CX
	JNZ  minus
	SBBQ $0, DX
	JCS  done

copy:
	MOVQ -8(SI)(R9*8), AX
	MOVQ AX, -8(DI)(R9*8)
	DECQ R9
	JNZ  copy

done:
	RET
