//go:build !purego

#include "textflag.h"

// meet16 sets out to all ones in the lanes whose prime meets Y0, the position:
// the smaller one of (pos+p-r1)*inv and (pos+p-r2)*inv is at most max.
#define meet16(off, t, u, v, out) \
	VPADDW   off(SI), Y0, t   \
	VPSUBW   off(R11), t, u   \
	VPSUBW   off(R10), t, t   \
	VMOVDQU  off(R8), v       \
	VPMULLW  v, t, t          \
	VPMULLW  v, u, u          \
	VPMINUW  t, u, u          \
	VPMINUW  off(R9), u, out  \
	VPCMPEQW u, out, out

// func meetAVX2(mask *uint32, pos uint16, p, inv, limit, r1, r2 *uint16, blocks int)
TEXT ·meetAVX2(SB), NOSPLIT, $0-64
	MOVQ         mask+0(FP), DI
	MOVWLZX      pos+8(FP), AX
	MOVQ         p+16(FP), SI
	MOVQ         inv+24(FP), R8
	MOVQ         limit+32(FP), R9
	MOVQ         r1+40(FP), R10
	MOVQ         r2+48(FP), R11
	MOVQ         blocks+56(FP), CX
	VMOVD        AX, X0
	VPBROADCASTW X0, Y0

meetLoop:
	meet16(0, Y1, Y2, Y3, Y4)
	meet16(32, Y5, Y6, Y7, Y8)
	VPACKSSWB Y8, Y4, Y4
	VPERMQ    $0xD8, Y4, Y4 // packing works within halves: put them in order
	VPMOVMSKB Y4, AX
	MOVL      AX, (DI)
	ADDQ      $4, DI
	ADDQ      $64, SI
	ADDQ      $64, R8
	ADDQ      $64, R9
	ADDQ      $64, R10
	ADDQ      $64, R11
	DECQ      CX
	JNZ       meetLoop
	VZEROUPPER
	RET

// func stepAVX2(r, p, d *uint16, blocks int)
TEXT ·stepAVX2(SB), NOSPLIT, $0-32
	MOVQ r+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ d+16(FP), DX
	MOVQ blocks+24(FP), CX

stepLoop:
	VMOVDQU (DI), Y0
	VMOVDQU 32(DI), Y1
	VPADDW  (DX), Y0, Y0
	VPADDW  32(DX), Y1, Y1
	VPSUBW  (SI), Y0, Y2
	VPSUBW  32(SI), Y1, Y3
	VPMINUW Y0, Y2, Y2
	VPMINUW Y1, Y3, Y3
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	ADDQ    $64, DI
	ADDQ    $64, SI
	ADDQ    $64, DX
	DECQ    CX
	JNZ     stepLoop
	VZEROUPPER
	RET

// func stepBackAVX2(r, p, d *uint16, blocks int)
TEXT ·stepBackAVX2(SB), NOSPLIT, $0-32
	MOVQ r+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ d+16(FP), DX
	MOVQ blocks+24(FP), CX

backLoop:
	VMOVDQU (DI), Y0
	VMOVDQU 32(DI), Y1
	VPSUBW  (DX), Y0, Y0
	VPSUBW  32(DX), Y1, Y1
	VPADDW  (SI), Y0, Y2
	VPADDW  32(SI), Y1, Y3
	VPMINUW Y0, Y2, Y2
	VPMINUW Y1, Y3, Y3
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	ADDQ    $64, DI
	ADDQ    $64, SI
	ADDQ    $64, DX
	DECQ    CX
	JNZ     backLoop
	VZEROUPPER
	RET
