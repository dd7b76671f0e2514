//go:build !purego

#include "textflag.h"

// Vectors are eight residues below 2p, one for each prime of a group. Z31 holds 2p, Z30
// 2^52 - p, Z29 2^52 - 1 in each lane, Z28 zero.
#define modulus(m) \
	VMOVDQU64 64(m), Z31          \
	VMOVDQU64 128(m), Z30         \
	VPTERNLOGQ $0xff, Z29, Z29, Z29 \
	VPSRLQ    $12, Z29, Z29       \
	VPXORQ    Z28, Z28, Z28

// shoup sets r to x w modulo p, below 2p; wq is the quotient of w, t is scratch.
#define shoup(x, w, wq, r, t) \
	VMOVDQA64   Z28, t     \
	VMOVDQA64   Z28, r     \
	VPMADD52HUQ wq, x, t   \
	VPMADD52LUQ w, x, r    \
	VPMADD52LUQ Z30, t, r  \
	VPANDQ      Z29, r, r

// butterfly takes u and v to u + w v and u - w v.
#define butterfly(u, v, w, wq, r, t) \
	shoup(v, w, wq, r, t) \
	VPSUBQ  r, u, v    \
	VPADDQ  r, u, u    \
	VPADDQ  Z31, v, t  \
	VPSUBQ  Z31, u, r  \
	VPMINUQ t, v, v    \
	VPMINUQ r, u, u

// backfly takes u and v to u + v and w (u - v).
#define backfly(u, v, w, wq, r, t) \
	VPSUBQ  v, u, r    \
	VPADDQ  v, u, u    \
	VPADDQ  Z31, r, t  \
	VPSUBQ  Z31, u, v  \
	VPMINUQ t, r, r    \
	VPMINUQ v, u, u    \
	shoup(r, w, wq, v, t)

// func forward2(a *vec, blocks, l int, roots *vec, group *group)
TEXT ·forward2(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ group+32(FP), DX
	modulus(DX)
	MOVQ R8, R9
	SHLQ $6, R9             // bytes of half a block

block:
	VMOVDQU64 (SI), Z20
	VMOVDQU64 64(SI), Z21
	MOVQ R8, CX

loop:
	VMOVDQU64 (DI), Z0
	VMOVDQU64 (DI)(R9*1), Z1
	butterfly(Z0, Z1, Z20, Z21, Z4, Z5)
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R9*1)
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

	ADDQ R9, DI
	ADDQ $128, SI
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func inverse2(a *vec, blocks, l int, roots *vec, group *group)
TEXT ·inverse2(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ group+32(FP), DX
	modulus(DX)
	MOVQ R8, R9
	SHLQ $6, R9

block:
	VMOVDQU64 (SI), Z20
	VMOVDQU64 64(SI), Z21
	MOVQ R8, CX

loop:
	VMOVDQU64 (DI), Z0
	VMOVDQU64 (DI)(R9*1), Z1
	backfly(Z0, Z1, Z20, Z21, Z4, Z5)
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R9*1)
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

	ADDQ R9, DI
	ADDQ $128, SI
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func forward4(a *vec, blocks, l int, roots, next *vec, group *group)
TEXT ·forward4(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ next+32(FP), R10
	MOVQ group+40(FP), DX
	modulus(DX)
	MOVQ R8, R9
	SHLQ $6, R9             // bytes of a quarter of a block
	LEAQ (R9)(R9*2), R11    // of three

block:
	VMOVDQU64 (SI), Z20
	VMOVDQU64 64(SI), Z21
	VMOVDQU64 (R10), Z22
	VMOVDQU64 64(R10), Z23
	VMOVDQU64 128(R10), Z24
	VMOVDQU64 192(R10), Z25
	MOVQ R8, CX

loop:
	VMOVDQU64 (DI), Z0
	VMOVDQU64 (DI)(R9*1), Z1
	VMOVDQU64 (DI)(R9*2), Z2
	VMOVDQU64 (DI)(R11*1), Z3
	butterfly(Z0, Z2, Z20, Z21, Z4, Z5)
	butterfly(Z1, Z3, Z20, Z21, Z6, Z7)
	butterfly(Z0, Z1, Z22, Z23, Z8, Z9)
	butterfly(Z2, Z3, Z24, Z25, Z10, Z11)
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R9*1)
	VMOVDQU64 Z2, (DI)(R9*2)
	VMOVDQU64 Z3, (DI)(R11*1)
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

	ADDQ R11, DI
	ADDQ $128, SI
	ADDQ $256, R10
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func inverse4(a *vec, blocks, l int, roots, next *vec, group *group)
TEXT ·inverse4(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ blocks+8(FP), BX
	MOVQ l+16(FP), R8
	MOVQ roots+24(FP), SI
	MOVQ next+32(FP), R10
	MOVQ group+40(FP), DX
	modulus(DX)
	MOVQ R8, R9
	SHLQ $6, R9
	LEAQ (R9)(R9*2), R11

block:
	VMOVDQU64 (SI), Z20
	VMOVDQU64 64(SI), Z21
	VMOVDQU64 (R10), Z22
	VMOVDQU64 64(R10), Z23
	VMOVDQU64 128(R10), Z24
	VMOVDQU64 192(R10), Z25
	MOVQ R8, CX

loop:
	VMOVDQU64 (DI), Z0
	VMOVDQU64 (DI)(R9*1), Z1
	VMOVDQU64 (DI)(R9*2), Z2
	VMOVDQU64 (DI)(R11*1), Z3
	backfly(Z0, Z1, Z22, Z23, Z4, Z5)
	backfly(Z2, Z3, Z24, Z25, Z6, Z7)
	backfly(Z0, Z2, Z20, Z21, Z8, Z9)
	backfly(Z1, Z3, Z20, Z21, Z10, Z11)
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R9*1)
	VMOVDQU64 Z2, (DI)(R9*2)
	VMOVDQU64 Z3, (DI)(R11*1)
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

	ADDQ R11, DI
	ADDQ $128, SI
	ADDQ $256, R10
	DECQ BX
	JNZ  block
	VZEROUPPER
	RET

// func multiply(z, x, y *vec, count int, group *group)
TEXT ·multiply(SB), NOSPLIT, $0-40
	MOVQ z+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), R8
	MOVQ count+24(FP), CX
	MOVQ group+32(FP), DX
	modulus(DX)
	VMOVDQU64 (DX), Z27     // p
	VMOVDQU64 192(DX), Z26  // 1/p

loop:
	VMOVDQU64   (SI), Z0
	VMOVDQU64   (R8), Z1
	VMOVDQA64   Z28, Z2
	VMOVDQA64   Z28, Z3
	VMOVDQA64   Z28, Z4
	VMOVDQA64   Z28, Z5
	VPMADD52LUQ Z1, Z0, Z2
	VPMADD52HUQ Z1, Z0, Z3
	VPMADD52LUQ Z26, Z2, Z4
	VPMADD52HUQ Z27, Z4, Z5
	VPSUBQ      Z5, Z3, Z3
	VPADDQ      Z31, Z3, Z4
	VPMINUQ     Z4, Z3, Z3
	VMOVDQU64   Z3, (DI)
	ADDQ        $64, SI
	ADDQ        $64, R8
	ADDQ        $64, DI
	DECQ        CX
	JNZ         loop
	VZEROUPPER
	RET

// func spread(a *vec, limbs *uint64, count, width int, powers *vec, group *group)
TEXT ·spread(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ limbs+8(FP), SI
	MOVQ count+16(FP), BX
	MOVQ width+24(FP), R8
	MOVQ powers+32(FP), R9
	MOVQ group+40(FP), DX
	modulus(DX)
	VMOVDQU64 256(DX), Z20  // 2^52 mod p
	VMOVDQU64 320(DX), Z21
	VMOVDQU64 384(DX), Z22  // 2^104 mod p
	VMOVDQU64 448(DX), Z23
	VPADDQ    Z31, Z31, Z24 // 4p

coefficient:
	VMOVDQA64 Z28, Z0       // low halves
	VMOVDQA64 Z28, Z1       // high halves
	MOVQ R9, R10
	MOVQ R8, CX

limb:
	VPBROADCASTQ (SI), Z2
	VMOVDQU64    (R10), Z3
	VPMADD52LUQ  Z3, Z2, Z0
	VPMADD52HUQ  Z3, Z2, Z1
	ADDQ         $8, SI
	ADDQ         $64, R10
	DECQ         CX
	JNZ          limb

	VPSRLQ $52, Z0, Z2
	VPADDQ Z2, Z1, Z1       // times 2^52
	VPANDQ Z29, Z0, Z0
	VPSRLQ $52, Z1, Z2      // times 2^104
	VPANDQ Z29, Z1, Z1
	shoup(Z1, Z20, Z21, Z4, Z5)
	shoup(Z2, Z22, Z23, Z6, Z7)
	VPADDQ  Z4, Z0, Z0
	VPADDQ  Z6, Z0, Z0
	VPSUBQ  Z24, Z0, Z1
	VPMINUQ Z1, Z0, Z0
	VPSUBQ  Z31, Z0, Z1
	VPMINUQ Z1, Z0, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ $64, DI
	DECQ BX
	JNZ  coefficient
	VZEROUPPER
	RET

DATA two52<>+0(SB)/8, $0x4330000000000000
GLOBL two52<>(SB), RODATA|NOPTR, $8

// func digits(y, a, c, cq *vec, share *[lanes]float64, group *group)
TEXT ·digits(SB), NOSPLIT, $0-48
	MOVQ y+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ c+16(FP), R8
	MOVQ cq+24(FP), R9
	MOVQ share+32(FP), R10
	MOVQ group+40(FP), DX
	modulus(DX)
	VMOVDQU64 (SI), Z0
	VMOVDQU64 (R8), Z1
	VMOVDQU64 (R9), Z2
	shoup(Z0, Z1, Z2, Z3, Z4)
	VPSUBQ    (DX), Z3, Z4
	VPMINUQ   Z4, Z3, Z3
	VMOVDQU64 Z3, (DI)

	// As a float64: 2^52 + y has the bits of y below an exponent that is known.
	VPBROADCASTQ two52<>(SB), Z5
	VPORQ        Z5, Z3, Z3
	VSUBPD       Z5, Z3, Z3
	VMOVDQU64    (R10), Z6
	VFMADD231PD  512(DX), Z3, Z6
	VMOVDQU64    Z6, (R10)
	VZEROUPPER
	RET

// func gather(lo, hi *vec, y *uint64, count int, rows *vec, width int)
TEXT ·gather(SB), NOSPLIT, $0-48
	MOVQ lo+0(FP), DI
	MOVQ hi+8(FP), SI
	MOVQ y+16(FP), R8
	MOVQ count+24(FP), R9
	MOVQ rows+32(FP), R10
	MOVQ width+40(FP), BX
	MOVQ BX, R11
	SHLQ $6, R11            // bytes of a row

column:
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	MOVQ R8, R12
	MOVQ R10, R13
	MOVQ R9, CX
	SHRQ $1, CX             // a multiple of eight

row:
	VPBROADCASTQ (R12), Z4
	VPBROADCASTQ 8(R12), Z5
	VMOVDQU64    (R13), Z6
	VMOVDQU64    (R13)(R11*1), Z7
	VPMADD52LUQ  Z6, Z4, Z0
	VPMADD52HUQ  Z6, Z4, Z1
	VPMADD52LUQ  Z7, Z5, Z2
	VPMADD52HUQ  Z7, Z5, Z3
	ADDQ         $16, R12
	LEAQ         (R13)(R11*2), R13
	DECQ         CX
	JNZ          row

	VPADDQ    Z2, Z0, Z0
	VPADDQ    Z3, Z1, Z1
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (SI)
	ADDQ $64, DI
	ADDQ $64, SI
	ADDQ $64, R10
	DECQ BX
	JNZ  column
	VZEROUPPER
	RET
