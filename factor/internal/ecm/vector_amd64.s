//go:build !purego

#include "textflag.h"

// Eight residues are two registers: the low limbs and the high ones, 52 bits
// each. Limbs are signed and may be wider until carry moves what is above 52 bits
// of the low limb to the high one; the multiplications read the low 52 bits only.
//
// Z31 and Z30 hold n, Z29 -1/n modulo 2^52, Z28 and Z27 hold 2n, Z26 ones.
#define modulus(m) \
	VPBROADCASTQ (m), Z31   \
	VPBROADCASTQ 8(m), Z30  \
	VPBROADCASTQ 56(m), Z29 \
	VPBROADCASTQ 64(m), Z28 \
	VPBROADCASTQ 72(m), Z27 \
	VPBROADCASTQ 120(m), Z26

#define carry(a0, a1, t) \
	VPSRAQ $52, a0, t \
	VPADDQ t, a1, a1

// sum sets r to a + b, difference to a - b + 2n.
#define sum(a0, a1, b0, b1, r0, r1, t) \
	VPADDQ b0, a0, r0 \
	VPADDQ b1, a1, r1 \
	carry(r0, r1, t)

#define difference(a0, a1, b0, b1, r0, r1, t) \
	VPSUBQ b0, a0, r0   \
	VPSUBQ b1, a1, r1   \
	VPADDQ Z28, r0, r0  \
	VPADDQ Z27, r1, r1  \
	carry(r0, r1, t)

// reduce takes t0 to t3, less than n 2^104, to r = t2 and t3, less than 2n: twice
// a multiple of n makes the lowest limb zero. That it then carries 1, unless it
// was zero, is known before.
#define reduce(t0, t1, t2, t3, q, k) \
	VPTESTMQ      t0, t0, k      \
	VPADDQ        Z26, t1, k, t1 \
	VPMADD52HUQ   Z31, q, t1     \
	VPMADD52LUQ   Z30, q, t1     \
	VPMADD52HUQ   Z30, q, t2     \
	VPXORQ        t0, t0, t0     \
	VPMADD52LUQ   Z29, t1, t0    \
	VPMADD52LUQ   Z31, t0, t1    \
	VPMADD52HUQ   Z31, t0, t2    \
	VPMADD52LUQ   Z30, t0, t2    \
	VPMADD52HUQ   Z30, t0, t3    \
	VPSRLQ        $52, t1, t1    \
	VPADDQ        t1, t2, t2

// multiply sets t2 and t3 to a b / 2^104.
#define multiply(a0, a1, b0, b1, t0, t1, t2, t3, q, k) \
	VPXORQ      t0, t0, t0  \
	VPXORQ      t1, t1, t1  \
	VPXORQ      t2, t2, t2  \
	VPXORQ      t3, t3, t3  \
	VPXORQ      q, q, q     \
	VPMADD52LUQ b0, a0, t0  \
	VPMADD52HUQ b0, a0, t1  \
	VPMADD52LUQ Z29, t0, q  \
	VPMADD52LUQ b1, a0, t1  \
	VPMADD52LUQ b0, a1, t1  \
	VPMADD52HUQ b1, a0, t2  \
	VPMADD52HUQ b0, a1, t2  \
	VPMADD52LUQ b1, a1, t2  \
	VPMADD52HUQ b1, a1, t3  \
	reduce(t0, t1, t2, t3, q, k)

// square is multiply with b = a.
#define square(a0, a1, t0, t1, t2, t3, q, k) \
	VPXORQ      t0, t0, t0  \
	VPXORQ      t1, t1, t1  \
	VPXORQ      t2, t2, t2  \
	VPXORQ      t3, t3, t3  \
	VPXORQ      q, q, q     \
	VPMADD52LUQ a0, a0, t0  \
	VPMADD52HUQ a0, a0, t1  \
	VPMADD52LUQ Z29, t0, q  \
	VPMADD52LUQ a1, a1, t2  \
	VPMADD52HUQ a1, a1, t3  \
	VPADDQ      a1, a1, a1  \
	VPMADD52LUQ a1, a0, t1  \
	VPMADD52HUQ a1, a0, t2  \
	reduce(t0, t1, t2, t3, q, k)

#define load(p, a0, a1) \
	VMOVDQU64 (p), a0   \
	VMOVDQU64 64(p), a1

#define loadz(p, a0, a1) \
	VMOVDQU64 448(p), a0 \
	VMOVDQU64 512(p), a1

// func mul8(r, a, b *residue8, m *mod8)
TEXT ·mul8(SB), NOSPLIT, $0-32
	MOVQ r+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ m+24(FP), CX
	modulus(CX)
	load(SI, Z0, Z1)
	load(DX, Z2, Z3)
	carry(Z0, Z1, Z4)
	carry(Z2, Z3, Z4)
	multiply(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, K1)
	VMOVDQU64 Z6, (DI)
	VMOVDQU64 Z7, 64(DI)
	VZEROUPPER
	RET

// func add8(r, p, q, d *point8, m *mod8)
TEXT ·add8(SB), NOSPLIT, $0-40
	MOVQ r+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ q+16(FP), DX
	MOVQ d+24(FP), R8
	MOVQ m+32(FP), CX
	modulus(CX)
	load(SI, Z0, Z1)
	loadz(SI, Z2, Z3)
	load(DX, Z4, Z5)
	loadz(DX, Z6, Z7)
	difference(Z0, Z1, Z2, Z3, Z8, Z9, Z24)
	sum(Z4, Z5, Z6, Z7, Z10, Z11, Z25)
	sum(Z0, Z1, Z2, Z3, Z12, Z13, Z24)
	difference(Z4, Z5, Z6, Z7, Z14, Z15, Z25)
	multiply(Z8, Z9, Z10, Z11, Z0, Z1, Z2, Z3, Z16, K1)
	multiply(Z12, Z13, Z14, Z15, Z4, Z5, Z6, Z7, Z17, K2)
	sum(Z2, Z3, Z6, Z7, Z8, Z9, Z24)
	difference(Z2, Z3, Z6, Z7, Z10, Z11, Z25)
	square(Z8, Z9, Z0, Z1, Z2, Z3, Z16, K1)
	square(Z10, Z11, Z4, Z5, Z6, Z7, Z17, K2)
	carry(Z2, Z3, Z24)
	carry(Z6, Z7, Z25)
	loadz(R8, Z18, Z19)
	load(R8, Z20, Z21)
	carry(Z18, Z19, Z24)
	carry(Z20, Z21, Z25)
	multiply(Z2, Z3, Z18, Z19, Z8, Z9, Z10, Z11, Z16, K1)
	multiply(Z6, Z7, Z20, Z21, Z12, Z13, Z14, Z15, Z17, K2)
	VMOVDQU64 Z10, (DI)
	VMOVDQU64 Z11, 64(DI)
	VMOVDQU64 Z14, 448(DI)
	VMOVDQU64 Z15, 512(DI)
	VZEROUPPER
	RET

// func dup8(r, p *point8, num, den *residue8, m *mod8)
TEXT ·dup8(SB), NOSPLIT, $0-40
	MOVQ r+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ num+16(FP), DX
	MOVQ den+24(FP), R8
	MOVQ m+32(FP), CX
	modulus(CX)
	load(SI, Z0, Z1)
	loadz(SI, Z2, Z3)
	sum(Z0, Z1, Z2, Z3, Z8, Z9, Z24)
	difference(Z0, Z1, Z2, Z3, Z10, Z11, Z25)
	square(Z8, Z9, Z0, Z1, Z2, Z3, Z16, K1)
	square(Z10, Z11, Z4, Z5, Z6, Z7, Z17, K2)
	difference(Z2, Z3, Z6, Z7, Z8, Z9, Z24) // w = s - t
	carry(Z2, Z3, Z24)
	carry(Z6, Z7, Z25)
	load(R8, Z18, Z19)
	load(DX, Z20, Z21)
	carry(Z18, Z19, Z24)
	carry(Z20, Z21, Z25)
	multiply(Z18, Z19, Z6, Z7, Z10, Z11, Z12, Z13, Z16, K1) // den t
	multiply(Z20, Z21, Z8, Z9, Z0, Z1, Z4, Z5, Z17, K2)     // num w
	sum(Z12, Z13, Z4, Z5, Z14, Z15, Z24)
	carry(Z12, Z13, Z25)
	multiply(Z2, Z3, Z12, Z13, Z18, Z19, Z20, Z21, Z16, K1)
	multiply(Z8, Z9, Z14, Z15, Z0, Z1, Z4, Z5, Z17, K2)
	VMOVDQU64 Z20, (DI)
	VMOVDQU64 Z21, 64(DI)
	VMOVDQU64 Z4, 448(DI)
	VMOVDQU64 Z5, 512(DI)
	VZEROUPPER
	RET

// func meet8(acc *residue8, giant, babies *point8, gxz, xz *residue8, hits *uint16, count int, m *mod8)
TEXT ·meet8(SB), NOSPLIT, $0-64
	MOVQ acc+0(FP), DI
	MOVQ giant+8(FP), SI
	MOVQ babies+16(FP), DX
	MOVQ gxz+24(FP), R9
	MOVQ xz+32(FP), R8
	MOVQ hits+40(FP), R10
	MOVQ count+48(FP), R11
	MOVQ m+56(FP), CX
	modulus(CX)
	load(SI, Z20, Z21)
	loadz(SI, Z22, Z23)
	VPADDQ Z28, Z20, Z20 // 2n ahead, for the differences
	VPADDQ Z27, Z21, Z21
	load(R9, Z18, Z19)
	VPSUBQ Z18, Z28, Z18
	VPSUBQ Z19, Z27, Z19
	load(DI, Z14, Z15)
	TESTQ R11, R11
	JEQ   met

hit:
	MOVWLZX   (R10), AX
	ADDQ      $2, R10
	IMUL3Q    $448, AX, BX
	LEAQ      (BX)(BX*1), AX
	ADDQ      DX, AX
	ADDQ      R8, BX
	VPSUBQ    (AX), Z20, Z2
	VPSUBQ    64(AX), Z21, Z3
	VPADDQ    448(AX), Z22, Z4
	VPADDQ    512(AX), Z23, Z5
	carry(Z2, Z3, Z24)
	carry(Z4, Z5, Z25)
	VMOVDQA64 Z14, Z0
	VMOVDQA64 Z15, Z1
	carry(Z0, Z1, Z24)
	VPADDQ    (BX), Z18, Z6
	VPADDQ    64(BX), Z19, Z7
	multiply(Z2, Z3, Z4, Z5, Z8, Z9, Z10, Z11, Z16, K1)
	VPADDQ    Z6, Z10, Z10
	VPADDQ    Z7, Z11, Z11
	carry(Z10, Z11, Z24)
	multiply(Z0, Z1, Z10, Z11, Z12, Z13, Z14, Z15, Z17, K2)
	DECQ      R11
	JNE       hit

met:
	VMOVDQU64 Z14, (DI)
	VMOVDQU64 Z15, 64(DI)
	VZEROUPPER
	RET

// The functions below work on up to seven limbs in memory, which are never wider
// than 52 bits.

// by adds a b[j] for the limb Z8 of a, and q n[j] for the limb Z9 of the quotient.
#define byLow(j, lo) VPMADD52LUQ (64*j)(DX), Z8, lo

#define byHigh(j, hi) VPMADD52HUQ (64*j)(DX), Z8, hi

#define less(j, lo, hi) \
	VPMADD52LUQ.BCST (8*j)(CX), Z9, lo \
	VPMADD52HUQ.BCST (8*j)(CX), Z9, hi

#define limbOf \
	VMOVDQU64   (SI), Z8     \
	ADDQ        $64, SI      \
	byLow(0, Z0)             \
	VPXORQ      Z9, Z9, Z9   \
	VPMADD52LUQ Z10, Z0, Z9

// shift drops the lowest limb, which is zero but for a carry.
#define shift \
	VPSRLQ $52, Z0, Z12 \
	VPADDQ Z12, Z1, Z0

#define store(j, a, next) \
	VPSRLQ    $52, a, Z12          \
	VPADDQ    Z12, next, next      \
	VPANDQ    Z11, a, a            \
	VMOVDQU64 a, (64*j)(DI)

// func mulLimbs(r, a, b *residue8, m *mod8)
TEXT ·mulLimbs(SB), NOSPLIT, $0-32
	MOVQ         r+0(FP), DI
	MOVQ         a+8(FP), SI
	MOVQ         b+16(FP), DX
	MOVQ         m+24(FP), CX
	MOVQ         128(CX), R8
	VPBROADCASTQ 56(CX), Z10
	VPBROADCASTQ 136(CX), Z11
	VPXORQ       Z0, Z0, Z0
	VPXORQ       Z1, Z1, Z1
	VPXORQ       Z2, Z2, Z2
	VPXORQ       Z3, Z3, Z3
	VPXORQ       Z4, Z4, Z4
	VPXORQ       Z5, Z5, Z5
	VPXORQ       Z6, Z6, Z6
	VPXORQ       Z7, Z7, Z7
	MOVQ         R8, R9
	CMPQ         R8, $4
	JLT          limbs3
	JEQ          limbs4
	CMPQ         R8, $6
	JLT          limbs5
	JEQ          limbs6

limbs7:
	limbOf
	byHigh(0, Z1)
	byLow(1, Z1)
	byHigh(1, Z2)
	byLow(2, Z2)
	byHigh(2, Z3)
	byLow(3, Z3)
	byHigh(3, Z4)
	byLow(4, Z4)
	byHigh(4, Z5)
	byLow(5, Z5)
	byHigh(5, Z6)
	byLow(6, Z6)
	byHigh(6, Z7)
	less(0, Z0, Z1)
	less(1, Z1, Z2)
	less(2, Z2, Z3)
	less(3, Z3, Z4)
	less(4, Z4, Z5)
	less(5, Z5, Z6)
	less(6, Z6, Z7)
	shift
	VMOVDQA64 Z2, Z1
	VMOVDQA64 Z3, Z2
	VMOVDQA64 Z4, Z3
	VMOVDQA64 Z5, Z4
	VMOVDQA64 Z6, Z5
	VMOVDQA64 Z7, Z6
	VPXORQ    Z7, Z7, Z7
	DECQ      R9
	JNE       limbs7
	store(0, Z0, Z1)
	store(1, Z1, Z2)
	store(2, Z2, Z3)
	store(3, Z3, Z4)
	store(4, Z4, Z5)
	store(5, Z5, Z6)
	VMOVDQU64 Z6, 384(DI)
	VZEROUPPER
	RET

limbs6:
	limbOf
	byHigh(0, Z1)
	byLow(1, Z1)
	byHigh(1, Z2)
	byLow(2, Z2)
	byHigh(2, Z3)
	byLow(3, Z3)
	byHigh(3, Z4)
	byLow(4, Z4)
	byHigh(4, Z5)
	byLow(5, Z5)
	byHigh(5, Z6)
	less(0, Z0, Z1)
	less(1, Z1, Z2)
	less(2, Z2, Z3)
	less(3, Z3, Z4)
	less(4, Z4, Z5)
	less(5, Z5, Z6)
	shift
	VMOVDQA64 Z2, Z1
	VMOVDQA64 Z3, Z2
	VMOVDQA64 Z4, Z3
	VMOVDQA64 Z5, Z4
	VMOVDQA64 Z6, Z5
	VPXORQ    Z6, Z6, Z6
	DECQ      R9
	JNE       limbs6
	store(0, Z0, Z1)
	store(1, Z1, Z2)
	store(2, Z2, Z3)
	store(3, Z3, Z4)
	store(4, Z4, Z5)
	VMOVDQU64 Z5, 320(DI)
	VZEROUPPER
	RET

limbs5:
	limbOf
	byHigh(0, Z1)
	byLow(1, Z1)
	byHigh(1, Z2)
	byLow(2, Z2)
	byHigh(2, Z3)
	byLow(3, Z3)
	byHigh(3, Z4)
	byLow(4, Z4)
	byHigh(4, Z5)
	less(0, Z0, Z1)
	less(1, Z1, Z2)
	less(2, Z2, Z3)
	less(3, Z3, Z4)
	less(4, Z4, Z5)
	shift
	VMOVDQA64 Z2, Z1
	VMOVDQA64 Z3, Z2
	VMOVDQA64 Z4, Z3
	VMOVDQA64 Z5, Z4
	VPXORQ    Z5, Z5, Z5
	DECQ      R9
	JNE       limbs5
	store(0, Z0, Z1)
	store(1, Z1, Z2)
	store(2, Z2, Z3)
	store(3, Z3, Z4)
	VMOVDQU64 Z4, 256(DI)
	VZEROUPPER
	RET

limbs4:
	limbOf
	byHigh(0, Z1)
	byLow(1, Z1)
	byHigh(1, Z2)
	byLow(2, Z2)
	byHigh(2, Z3)
	byLow(3, Z3)
	byHigh(3, Z4)
	less(0, Z0, Z1)
	less(1, Z1, Z2)
	less(2, Z2, Z3)
	less(3, Z3, Z4)
	shift
	VMOVDQA64 Z2, Z1
	VMOVDQA64 Z3, Z2
	VMOVDQA64 Z4, Z3
	VPXORQ    Z4, Z4, Z4
	DECQ      R9
	JNE       limbs4
	store(0, Z0, Z1)
	store(1, Z1, Z2)
	store(2, Z2, Z3)
	VMOVDQU64 Z3, 192(DI)
	VZEROUPPER
	RET

limbs3:
	limbOf
	byHigh(0, Z1)
	byLow(1, Z1)
	byHigh(1, Z2)
	byLow(2, Z2)
	byHigh(2, Z3)
	less(0, Z0, Z1)
	less(1, Z1, Z2)
	less(2, Z2, Z3)
	shift
	VMOVDQA64 Z2, Z1
	VMOVDQA64 Z3, Z2
	VPXORQ    Z3, Z3, Z3
	DECQ      R9
	JNE       limbs3
	store(0, Z0, Z1)
	store(1, Z1, Z2)
	VMOVDQU64 Z2, 128(DI)
	VZEROUPPER
	RET

// func sumLimbs(r, a, b *residue8, m *mod8)
TEXT ·sumLimbs(SB), NOSPLIT, $0-32
	MOVQ         r+0(FP), DI
	MOVQ         a+8(FP), SI
	MOVQ         b+16(FP), DX
	MOVQ         m+24(FP), CX
	MOVQ         128(CX), R8
	VPBROADCASTQ 136(CX), Z11
	VPXORQ       Z1, Z1, Z1
	DECQ         R8

sumLimb:
	VPADDQ    (SI), Z1, Z0
	VPADDQ    (DX), Z0, Z0
	VPSRAQ    $52, Z0, Z1
	VPANDQ    Z11, Z0, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ      $64, SI
	ADDQ      $64, DX
	ADDQ      $64, DI
	DECQ      R8
	JNE       sumLimb
	VPADDQ    (SI), Z1, Z0
	VPADDQ    (DX), Z0, Z0
	VMOVDQU64 Z0, (DI)
	VZEROUPPER
	RET

// func differenceLimbs(r, a, b *residue8, m *mod8)
TEXT ·differenceLimbs(SB), NOSPLIT, $0-32
	MOVQ         r+0(FP), DI
	MOVQ         a+8(FP), SI
	MOVQ         b+16(FP), DX
	MOVQ         m+24(FP), CX
	MOVQ         128(CX), R8
	VPBROADCASTQ 136(CX), Z11
	VPXORQ       Z1, Z1, Z1
	DECQ         R8

differenceLimb:
	VPADDQ      (SI), Z1, Z0
	VPSUBQ      (DX), Z0, Z0
	VPADDQ.BCST 64(CX), Z0, Z0
	VPSRAQ      $52, Z0, Z1
	VPANDQ      Z11, Z0, Z0
	VMOVDQU64   Z0, (DI)
	ADDQ        $64, SI
	ADDQ        $64, DX
	ADDQ        $64, DI
	ADDQ        $8, CX
	DECQ        R8
	JNE         differenceLimb
	VPADDQ      (SI), Z1, Z0
	VPSUBQ      (DX), Z0, Z0
	VPADDQ.BCST 64(CX), Z0, Z0
	VMOVDQU64   Z0, (DI)
	VZEROUPPER
	RET
