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
DATA quadTwo26<>+0(SB)/8, $0x4190000000000000
GLOBL quadTwo26<>(SB), RODATA|NOPTR, $8
DATA quadMask26<>+0(SB)/8, $0x3ffffff
GLOBL quadMask26<>(SB), RODATA|NOPTR, $8
DATA quadMask28<>+0(SB)/8, $0xfffffff
GLOBL quadMask28<>(SB), RODATA|NOPTR, $8
DATA quadHigh24<>+0(SB)/8, $0xffffff00000000
GLOBL quadHigh24<>(SB), RODATA|NOPTR, $8
DATA quadMask32<>+0(SB)/8, $0xffffffff
GLOBL quadMask32<>(SB), RODATA|NOPTR, $8

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
	VBROADCASTSD quadTwo26<>(SB), Y12
	VPBROADCASTQ quadMask26<>(SB), Y11
	VPBROADCASTQ quadMask32<>(SB), Y10
	VMOVUPD 64(DX), Y9      // 2^58 modulo p
	VMOVUPD 96(DX), Y8
	SHLQ $3, R8             // bytes of a coefficient
	SHRQ $1, R9             // words of it that count

coefficient:
	VPXOR Y0, Y0, Y0        // low
	VPXOR Y1, Y1, Y1        // high
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

	VPSRLQ $26, Y0, Y2
	VPADDQ Y2, Y1, Y1
	VPAND  Y11, Y0, Y0
	VPSRLQ $32, Y1, Y2
	VPAND  Y10, Y1, Y1
	VPOR   Y13, Y0, Y0
	VPOR   Y13, Y1, Y1
	VPOR   Y13, Y2, Y2
	VSUBPD Y13, Y0, Y0
	VSUBPD Y13, Y1, Y1
	VSUBPD Y13, Y2, Y2
	VMULPD Y12, Y1, Y1
	times(Y2, Y9, Y8, Y3, Y4)
	lessen(Y1, Y5)
	VADDPD Y1, Y2, Y2
	VADDPD Y0, Y2, Y2
	VMOVUPD Y2, (DI)
	ADDQ $32, DI
	ADDQ R8, SI
	DECQ BX
	JNZ  coefficient
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
