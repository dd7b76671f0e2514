//go:build !purego

#include "textflag.h"

// func scatterASM(primes, r1, r2 *uint32, count int, entries, filled *uint32, tag uint32, spans *uint32, rounds int, packs *[256]uint64)
//
// Eight positions of each root at a time: for every block that they may be in,
// those that are get packed to the front and stored.
TEXT ·scatterASM(SB), NOSPLIT, $0-80
	MOVQ primes+0(FP), SI
	MOVQ r1+8(FP), R8
	MOVQ r2+16(FP), R9
	MOVQ entries+32(FP), DI
	MOVQ filled+40(FP), R10
	MOVQ packs+72(FP), R11
	MOVL tag+48(FP), AX
	VMOVD AX, X15
	VPBROADCASTD X15, Y15
	MOVL $65536, AX
	VMOVD AX, X13
	VPBROADCASTD X13, Y13
	MOVQ 2040(R11), AX // packs[255]: 0 to 7
	VMOVQ AX, X12
	VPMOVZXBD X12, Y12
	VPMULLD Y13, Y12, Y12
	VPADDD Y12, Y15, Y15
	VPSLLD $3, Y13, Y13
	MOVL $32767, AX
	VMOVD AX, X14
	VPBROADCASTD X14, Y14
	MOVL $1, AX
	VMOVD AX, X11
	VPBROADCASTD X11, Y11
	XORL CX, CX

eight:
	CMPQ    CX, count+24(FP)
	JGE     scattered
	VMOVDQU (R8)(CX*4), Y0
	VMOVDQU (R9)(CX*4), Y1
	MOVQ    spans+56(FP), R13
	MOVQ    rounds+64(FP), R12

round:
	VPSRLD $15, Y0, Y2
	VPSRLD $15, Y1, Y3
	VPAND  Y14, Y0, Y4
	VPAND  Y14, Y1, Y5
	VPOR   Y15, Y4, Y4
	VPOR   Y15, Y5, Y5
	MOVL   (R13), BX
	MOVL   4(R13), DX
	VPBROADCASTD (R13), Y6

block:
	VPCMPEQD  Y2, Y6, Y7
	VPCMPEQD  Y3, Y6, Y8
	VMOVMSKPS Y7, AX
	VMOVMSKPS Y8, R14
	MOVL      (R10)(BX*4), R15
	VPMOVZXBD (R11)(AX*8), Y9
	VPMOVZXBD (R11)(R14*8), Y10
	VPERMD    Y4, Y9, Y9
	VPERMD    Y5, Y10, Y10
	VMOVDQU   Y9, (DI)(R15*4)
	POPCNTL   AX, AX
	ADDL      AX, R15
	VMOVDQU   Y10, (DI)(R15*4)
	POPCNTL   R14, R14
	ADDL      R14, R15
	MOVL      R15, (R10)(BX*4)
	VPADDD    Y11, Y6, Y6
	INCL      BX
	CMPL      BX, DX
	JLT       block
	ADDQ      $8, R13
	VPADDD    (SI)(CX*4), Y0, Y0
	VPADDD    (SI)(CX*4), Y1, Y1
	DECQ      R12
	JNE       round
	VPADDD    Y13, Y15, Y15
	ADDQ      $8, CX
	JMP       eight

scattered:
	VZEROUPPER
	RET

// func scatter16ASM(primes, r1, r2 *uint32, count int, entries, filled *uint32, tag uint32, spans *uint32, rounds int)
//
// scatterASM with AVX-512: sixteen positions at a time.
TEXT ·scatter16ASM(SB), NOSPLIT, $0-72
	MOVQ primes+0(FP), SI
	MOVQ r1+8(FP), R8
	MOVQ r2+16(FP), R9
	MOVQ entries+32(FP), DI
	MOVQ filled+40(FP), R10
	MOVL tag+48(FP), AX
	VPBROADCASTD AX, Z15
	VPMOVZXBD lanes<>(SB), Z12
	VPSLLD $16, Z12, Z12
	VPADDD Z12, Z15, Z15
	MOVL $0x100000, AX
	VPBROADCASTD AX, Z13
	MOVL $32767, AX
	VPBROADCASTD AX, Z14
	MOVL $1, AX
	VPBROADCASTD AX, Z11
	XORL CX, CX

sixteen:
	CMPQ      CX, count+24(FP)
	JGE       scattered16
	VMOVDQU32 (R8)(CX*4), Z0
	VMOVDQU32 (R9)(CX*4), Z1
	MOVQ      spans+56(FP), R13
	MOVQ      rounds+64(FP), R12

round16:
	VPSRLD       $15, Z0, Z2
	VPSRLD       $15, Z1, Z3
	VPANDD       Z14, Z0, Z4
	VPANDD       Z14, Z1, Z5
	VPORD        Z15, Z4, Z4
	VPORD        Z15, Z5, Z5
	MOVL         (R13), BX
	MOVL         4(R13), DX
	VPBROADCASTD (R13), Z6

block16:
	VPCMPEQD     Z2, Z6, K1
	VPCMPEQD     Z3, Z6, K2
	MOVL         (R10)(BX*4), R15
	VPCOMPRESSD.Z Z4, K1, Z9
	VPCOMPRESSD.Z Z5, K2, Z10
	KMOVW        K1, AX
	KMOVW        K2, R14
	VMOVDQU32    Z9, (DI)(R15*4)
	POPCNTL      AX, AX
	ADDL         AX, R15
	VMOVDQU32    Z10, (DI)(R15*4)
	POPCNTL      R14, R14
	ADDL         R14, R15
	MOVL         R15, (R10)(BX*4)
	VPADDD       Z11, Z6, Z6
	INCL         BX
	CMPL         BX, DX
	JLT          block16
	ADDQ         $8, R13
	VPADDD       (SI)(CX*4), Z0, Z0
	VPADDD       (SI)(CX*4), Z1, Z1
	DECQ         R12
	JNE          round16
	VPADDD       Z13, Z15, Z15
	ADDQ         $16, CX
	JMP          sixteen

scattered16:
	VZEROUPPER
	RET

DATA lanes<>+0(SB)/8, $0x0706050403020100
DATA lanes<>+8(SB)/8, $0x0f0e0d0c0b0a0908
GLOBL lanes<>(SB), RODATA|NOPTR, $16

// func scatterFewASM(r1, r2 *uint32, count int, entries, filled *uint32, tag, end uint32, hits *uint32)
//
// Where most positions are beyond the sieve: first those are taken out, sixteen at
// a time, and each that is left is entered by itself. hits has room for them twice,
// the second time for their blocks.
TEXT ·scatterFewASM(SB), NOSPLIT, $0-56
	MOVQ r1+0(FP), R8
	MOVQ r2+8(FP), R9
	MOVQ entries+24(FP), DI
	MOVQ filled+32(FP), R10
	MOVQ hits+48(FP), SI
	MOVL end+44(FP), AX
	VPBROADCASTD AX, Z8
	VPMOVZXBD lanes<>(SB), Z12
	VPSLLD $20, Z12, Z12
	MOVL $0x1000000, AX
	VPBROADCASTD AX, Z13
	MOVQ SI, R11
	XORL CX, CX

pick:
	CMPQ          CX, count+16(FP)
	JGE           picked
	VMOVDQU32     (R8)(CX*4), Z0
	VMOVDQU32     (R9)(CX*4), Z1
	VPCMPUD       $1, Z8, Z0, K1
	VPCMPUD       $1, Z8, Z1, K2
	VPORD         Z12, Z0, Z0
	VPORD         Z12, Z1, Z1
	VPCOMPRESSD.Z Z0, K1, Z0
	VPCOMPRESSD.Z Z1, K2, Z1
	KMOVW         K1, AX
	KMOVW         K2, BX
	POPCNTL       AX, AX
	POPCNTL       BX, BX
	VMOVDQU32     Z0, (R11)
	LEAQ          (R11)(AX*4), R11
	VMOVDQU32     Z1, (R11)
	LEAQ          (R11)(BX*4), R11
	VPADDD        Z13, Z12, Z12
	ADDQ          $16, CX
	JMP           pick

picked:
	// From number << 20 | position to the entry, and the block beside it.
	SUBQ SI, R11
	SHRQ $2, R11 // hits
	MOVL tag+40(FP), AX
	VPBROADCASTD AX, Z15
	MOVL $32767, AX
	VPBROADCASTD AX, Z14
	MOVL $31, AX
	VPBROADCASTD AX, Z13
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z12
	XORL CX, CX

unpack:
	CMPQ      CX, R11
	JGE       unpacked
	VMOVDQU32 (SI)(CX*4), Z0
	VPSRLD    $15, Z0, Z1
	VPANDD    Z13, Z1, Z1
	VPSRLD    $4, Z0, Z2
	VPANDD    Z12, Z2, Z2
	VPANDD    Z14, Z0, Z0
	VPADDD    Z15, Z2, Z2
	VPORD     Z2, Z0, Z0
	VMOVDQU32 Z0, (SI)(CX*4)
	VMOVDQU32 Z1, 4224(SI)(CX*4)
	ADDQ      $16, CX
	JMP       unpack

unpacked:
	VZEROUPPER
	XORL CX, CX
	JMP  more

one:
	MOVL (SI)(CX*4), AX
	MOVL 4224(SI)(CX*4), BX
	MOVL (R10)(BX*4), R15
	MOVL AX, (DI)(R15*4)
	INCL R15
	MOVL R15, (R10)(BX*4)
	INCQ CX

more:
	CMPQ CX, R11
	JLT  one
	RET

// PICK takes the positions in Y2 and Y3 that are in the sieve to the list.
#define PICK \
	VMOVDQU   Y2, (R8)(CX*4) \
	VMOVDQU   Y3, (R9)(CX*4) \
	VPCMPGTD  Y2, Y8, Y4 \
	VPCMPGTD  Y3, Y8, Y5 \
	VMOVMSKPS Y4, AX \
	VMOVMSKPS Y5, BX \
	VPOR      Y15, Y2, Y2 \
	VPOR      Y15, Y3, Y3 \
	VPMOVZXBD (R12)(AX*8), Y4 \
	VPMOVZXBD (R12)(BX*8), Y5 \
	VPERMD    Y2, Y4, Y2 \
	VPERMD    Y3, Y5, Y3 \
	POPCNTL   AX, AX \
	POPCNTL   BX, BX \
	VMOVDQU   Y2, (R11) \
	LEAQ      (R11)(AX*4), R11 \
	VMOVDQU   Y3, (R11) \
	LEAQ      (R11)(BX*4), R11 \
	VPADDD    Y13, Y15, Y15 \
	ADDQ      $8, CX

// func pickASM(primes, r1, r2, step *uint32, count int, minus bool, end uint32, hits *uint32, packs *[256]uint64) int
//
// moveRootsASM, and the positions that are in the sieve are listed.
TEXT ·pickASM(SB), NOSPLIT, $0-72
	MOVQ primes+0(FP), SI
	MOVQ r1+8(FP), R8
	MOVQ r2+16(FP), R9
	MOVQ step+24(FP), R10
	MOVQ count+32(FP), DX
	MOVQ hits+48(FP), R11
	MOVQ packs+56(FP), R12
	MOVL end+44(FP), AX
	VMOVD AX, X8
	VPBROADCASTD X8, Y8
	MOVQ 2040(R12), AX // packs[255]: 0 to 7
	VMOVQ AX, X15
	VPMOVZXBD X15, Y15
	VPSLLD $20, Y15, Y15
	MOVL $0x800000, AX
	VMOVD AX, X13
	VPBROADCASTD X13, Y13
	XORL CX, CX
	CMPB minus+40(FP), $0
	JEQ  up

down:
	CMPQ    CX, DX
	JGE     picked
	VMOVDQU (SI)(CX*4), Y0
	VMOVDQU (R10)(CX*4), Y1
	VPADDD  (R8)(CX*4), Y1, Y2
	VPADDD  (R9)(CX*4), Y1, Y3
	VPSUBD  Y0, Y2, Y4
	VPSUBD  Y0, Y3, Y5
	VPMINUD Y2, Y4, Y2
	VPMINUD Y3, Y5, Y3
	PICK
	JMP     down

up:
	CMPQ    CX, DX
	JGE     picked
	VMOVDQU (SI)(CX*4), Y0
	VMOVDQU (R10)(CX*4), Y1
	VMOVDQU (R8)(CX*4), Y2
	VMOVDQU (R9)(CX*4), Y3
	VPSUBD  Y1, Y2, Y2
	VPSUBD  Y1, Y3, Y3
	VPADDD  Y0, Y2, Y4
	VPADDD  Y0, Y3, Y5
	VPMINUD Y2, Y4, Y2
	VPMINUD Y3, Y5, Y3
	PICK
	JMP     up

picked:
	SUBQ hits+48(FP), R11
	SHRQ $2, R11
	MOVQ R11, ret+64(FP)
	VZEROUPPER
	RET

// ENTER enters the hit number i of eight.
#define ENTER(i) \
	MOVL (4*i)(SP), AX \
	MOVL (4*i+32)(SP), BX \
	MOVL (R10)(BX*4), R15 \
	MOVL AX, (DI)(R15*4) \
	INCL R15 \
	MOVL R15, (R10)(BX*4)

// func enterASM(hits *uint32, count int, entries, filled *uint32, tag uint32)
//
// Each hit, number << 20 | position, goes to the bucket of its block.
TEXT ·enterASM(SB), NOSPLIT, $64-36
	MOVQ hits+0(FP), SI
	MOVQ count+8(FP), DX
	MOVQ entries+16(FP), DI
	MOVQ filled+24(FP), R10
	MOVL tag+32(FP), AX
	VMOVD AX, X15
	VPBROADCASTD X15, Y15
	VPCMPEQD Y14, Y14, Y14
	VPSRLD $17, Y14, Y14 // offset
	VPCMPEQD Y13, Y13, Y13
	VPSRLD $27, Y13, Y13 // block
	VPCMPEQD Y12, Y12, Y12
	VPSLLD $16, Y12, Y12 // number
	SUBQ $8, DX
	JLT  rest

eight:
	VMOVDQU (SI), Y0
	VPSRLD  $15, Y0, Y1
	VPSRLD  $4, Y0, Y2
	VPAND   Y13, Y1, Y1
	VPAND   Y12, Y2, Y2
	VPAND   Y14, Y0, Y0
	VPADDD  Y15, Y2, Y2
	VPOR    Y2, Y0, Y0
	VMOVDQU Y0, 0(SP)
	VMOVDQU Y1, 32(SP)
	ENTER(0)
	ENTER(1)
	ENTER(2)
	ENTER(3)
	ENTER(4)
	ENTER(5)
	ENTER(6)
	ENTER(7)
	ADDQ $32, SI
	SUBQ $8, DX
	JGE  eight

rest:
	VZEROUPPER
	MOVL tag+32(FP), R8
	ADDQ $8, DX

one:
	SUBQ $1, DX
	JLT  entered
	MOVL (SI), AX
	ADDQ $4, SI
	MOVL AX, BX
	SHRL $15, BX
	ANDL $31, BX
	MOVL AX, CX
	SHRL $4, CX
	ANDL $0xffff0000, CX
	ADDL R8, CX
	ANDL $32767, AX
	ORL  CX, AX
	MOVL (R10)(BX*4), R15
	MOVL AX, (DI)(R15*4)
	INCL R15
	MOVL R15, (R10)(BX*4)
	JMP  one

entered:
	RET

// func enterByBlockASM(hits *uint32, count int, entries, filled *uint32, tag uint32, blocks int, packs *[256]uint64)
//
// enterASM for few blocks: for each of them, the hits in it get packed to the front
// and stored, so that no hit waits for the counter of the one before. The list becomes
// entries; their blocks are in the second list.
TEXT ·enterByBlockASM(SB), NOSPLIT, $0-56
	MOVQ hits+0(FP), SI
	MOVQ count+8(FP), DX
	MOVQ entries+16(FP), DI
	MOVQ filled+24(FP), R10
	MOVQ packs+48(FP), R12
	MOVL tag+32(FP), AX
	VMOVD AX, X15
	VPBROADCASTD X15, Y15
	VPCMPEQD Y11, Y11, Y11
	VPSRLD $17, Y11, Y14 // offset
	VPSRLD $27, Y11, Y13 // block
	VPSLLD $16, Y11, Y12 // number
	XORL CX, CX
	TESTQ DX, DX
	JEQ  sorted

convert:
	VMOVDQU (SI)(CX*4), Y0
	VPSRLD  $15, Y0, Y1
	VPSRLD  $4, Y0, Y2
	VPAND   Y13, Y1, Y1
	VPAND   Y12, Y2, Y2
	VPAND   Y14, Y0, Y0
	VPADDD  Y15, Y2, Y2
	VPOR    Y2, Y0, Y0
	VMOVDQU Y0, (SI)(CX*4)
	VMOVDQU Y1, 8320(SI)(CX*4)
	ADDQ    $8, CX
	CMPQ    CX, DX
	JLT     convert
	VMOVDQU Y11, 8320(SI)(DX*4) // no block after the last hit
	VPXOR   Y10, Y10, Y10
	XORL    BX, BX

block:
	MOVL (R10)(BX*4), R15
	LEAQ (DI)(R15*4), R15
	XORL CX, CX

eight:
	VPCMPEQD  8320(SI)(CX*4), Y10, Y1
	VMOVMSKPS Y1, AX
	VPMOVZXBD (R12)(AX*8), Y2
	VPERMD    (SI)(CX*4), Y2, Y2
	POPCNTL   AX, AX
	VMOVDQU   Y2, (R15)
	LEAQ      (R15)(AX*4), R15
	ADDQ      $8, CX
	CMPQ      CX, DX
	JLT       eight
	SUBQ      DI, R15
	SHRQ      $2, R15
	MOVL      R15, (R10)(BX*4)
	VPSUBD    Y11, Y10, Y10
	INCQ      BX
	CMPQ      BX, blocks+40(FP)
	JLT       block

sorted:
	VZEROUPPER
	RET

// func addEntriesASM(block *byte, entries *uint32, count int, log uint8)
TEXT ·addEntriesASM(SB), NOSPLIT, $0-25
	MOVQ    block+0(FP), DI
	MOVQ    entries+8(FP), SI
	MOVQ    count+16(FP), DX
	MOVBLZX log+24(FP), R11
	SUBQ    $8, DX
	JLT     few

more:
	MOVWLZX (SI), AX
	MOVWLZX 4(SI), BX
	MOVWLZX 8(SI), CX
	MOVWLZX 12(SI), R8
	ADDB    R11, (DI)(AX*1)
	ADDB    R11, (DI)(BX*1)
	ADDB    R11, (DI)(CX*1)
	ADDB    R11, (DI)(R8*1)
	MOVWLZX 16(SI), AX
	MOVWLZX 20(SI), BX
	MOVWLZX 24(SI), CX
	MOVWLZX 28(SI), R8
	ADDB    R11, (DI)(AX*1)
	ADDB    R11, (DI)(BX*1)
	ADDB    R11, (DI)(CX*1)
	ADDB    R11, (DI)(R8*1)
	ADDQ    $32, SI
	SUBQ    $8, DX
	JGE     more

few:
	ADDQ $8, DX

one:
	SUBQ    $1, DX
	JLT     added
	MOVWLZX (SI), AX
	ADDQ    $4, SI
	ADDB    R11, (DI)(AX*1)
	JMP     one

added:
	RET

// func nextMatchASM(entries *uint32, from, to int, offset uint32) int
//
// Thirty-two entries at a time, and eight at the end.
TEXT ·nextMatchASM(SB), NOSPLIT, $0-40
	MOVQ entries+0(FP), SI
	MOVQ from+8(FP), CX
	MOVQ to+16(FP), DX
	MOVL offset+24(FP), AX
	VMOVD AX, X0
	VPBROADCASTW X0, Y0
	SUBQ $32, DX

compare32:
	CMPQ      CX, DX
	JG        rest
	VPCMPEQW  (SI)(CX*4), Y0, Y1
	VPCMPEQW  32(SI)(CX*4), Y0, Y2
	VPCMPEQW  64(SI)(CX*4), Y0, Y3
	VPCMPEQW  96(SI)(CX*4), Y0, Y4
	VPOR      Y1, Y2, Y5
	VPOR      Y3, Y4, Y6
	VPOR      Y5, Y6, Y5
	VPSLLD    $16, Y5, Y5
	VMOVMSKPS Y5, AX
	TESTL     AX, AX
	JNE       rest
	ADDQ      $32, CX
	JMP       compare32

rest:
	ADDQ $32, DX

compare:
	CMPQ      CX, DX
	JGE       compared
	VPCMPEQW  (SI)(CX*4), Y0, Y1
	VPSLLD    $16, Y1, Y1
	VMOVMSKPS Y1, AX
	TESTL     AX, AX
	JNE       compared
	ADDQ      $8, CX
	JMP       compare

compared:
	MOVQ CX, ret+32(FP)
	VZEROUPPER
	RET

// func nextMatch16ASM(entries *uint32, from, to int, offset uint32) int
TEXT ·nextMatch16ASM(SB), NOSPLIT, $0-40
	MOVQ entries+0(FP), SI
	MOVQ from+8(FP), CX
	MOVQ to+16(FP), DX
	MOVL offset+24(FP), AX
	VPBROADCASTD AX, Z0
	MOVL $0xffff, AX
	VPBROADCASTD AX, Z3

compare16:
	CMPQ       CX, DX
	JGE        compared16
	VPXORD     (SI)(CX*4), Z0, Z1
	VPTESTNMD  Z3, Z1, K1
	KORTESTW   K1, K1
	JNE        compared16
	ADDQ       $16, CX
	JMP        compare16

compared16:
	MOVQ CX, ret+32(FP)
	VZEROUPPER
	RET

// func moveRootsASM(primes, r1, r2, step *uint32, count int, minus bool)
TEXT ·moveRootsASM(SB), NOSPLIT, $0-41
	MOVQ primes+0(FP), SI
	MOVQ r1+8(FP), R8
	MOVQ r2+16(FP), R9
	MOVQ step+24(FP), R10
	MOVQ count+32(FP), DX
	XORL CX, CX
	CMPB minus+40(FP), $0
	JEQ  plus

down:
	CMPQ    CX, DX
	JGE     moved
	VMOVDQU (SI)(CX*4), Y0
	VMOVDQU (R10)(CX*4), Y1
	VPADDD  (R8)(CX*4), Y1, Y2
	VPADDD  (R9)(CX*4), Y1, Y3
	VPSUBD  Y0, Y2, Y4
	VPSUBD  Y0, Y3, Y5
	VPMINUD Y2, Y4, Y2
	VPMINUD Y3, Y5, Y3
	VMOVDQU Y2, (R8)(CX*4)
	VMOVDQU Y3, (R9)(CX*4)
	ADDQ    $8, CX
	JMP     down

plus:
	CMPQ    CX, DX
	JGE     moved
	VMOVDQU (SI)(CX*4), Y0
	VMOVDQU (R10)(CX*4), Y1
	VMOVDQU (R8)(CX*4), Y2
	VMOVDQU (R9)(CX*4), Y3
	VPSUBD  Y1, Y2, Y2
	VPSUBD  Y1, Y3, Y3
	VPADDD  Y0, Y2, Y4
	VPADDD  Y0, Y3, Y5
	VPMINUD Y2, Y4, Y2
	VPMINUD Y3, Y5, Y3
	VMOVDQU Y2, (R8)(CX*4)
	VMOVDQU Y3, (R9)(CX*4)
	ADDQ    $8, CX
	JMP     plus

moved:
	VZEROUPPER
	RET

// func moveRoots16ASM(primes, r1, r2, step *uint16, count int, minus bool)
TEXT ·moveRoots16ASM(SB), NOSPLIT, $0-41
	MOVQ primes+0(FP), SI
	MOVQ r1+8(FP), R8
	MOVQ r2+16(FP), R9
	MOVQ step+24(FP), R10
	MOVQ count+32(FP), DX
	XORL CX, CX
	CMPB minus+40(FP), $0
	JEQ  plus

down:
	CMPQ    CX, DX
	JGE     moved
	VMOVDQU (SI)(CX*2), Y0
	VMOVDQU (R10)(CX*2), Y1
	VPADDW  (R8)(CX*2), Y1, Y2
	VPADDW  (R9)(CX*2), Y1, Y3
	VPSUBW  Y0, Y2, Y4
	VPSUBW  Y0, Y3, Y5
	VPMINUW Y2, Y4, Y2
	VPMINUW Y3, Y5, Y3
	VMOVDQU Y2, (R8)(CX*2)
	VMOVDQU Y3, (R9)(CX*2)
	ADDQ    $16, CX
	JMP     down

plus:
	CMPQ    CX, DX
	JGE     moved
	VMOVDQU (SI)(CX*2), Y0
	VMOVDQU (R10)(CX*2), Y1
	VMOVDQU (R8)(CX*2), Y2
	VMOVDQU (R9)(CX*2), Y3
	VPSUBW  Y1, Y2, Y2
	VPSUBW  Y1, Y3, Y3
	VPADDW  Y0, Y2, Y4
	VPADDW  Y0, Y3, Y5
	VPMINUW Y2, Y4, Y2
	VPMINUW Y3, Y5, Y3
	VMOVDQU Y2, (R8)(CX*2)
	VMOVDQU Y3, (R9)(CX*2)
	ADDQ    $16, CX
	JMP     plus

moved:
	VZEROUPPER
	RET

// func rootMasksASM(x uint32, primes, r1, r2 *uint16, limit, inverse *uint32, count int, masks *uint8)
TEXT ·rootMasksASM(SB), NOSPLIT, $0-64
	MOVL x+0(FP), AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	MOVQ primes+8(FP), SI
	MOVQ r1+16(FP), R8
	MOVQ r2+24(FP), R9
	MOVQ limit+32(FP), R10
	MOVQ inverse+40(FP), R11
	MOVQ count+48(FP), DX
	MOVQ masks+56(FP), DI
	XORL CX, CX

test:
	CMPQ      CX, DX
	JGE       tested
	VPMOVZXWD (SI)(CX*2), Y1
	VPADDD    Y0, Y1, Y1
	VPMOVZXWD (R8)(CX*2), Y2
	VPMOVZXWD (R9)(CX*2), Y3
	VPSUBD    Y2, Y1, Y2
	VPSUBD    Y3, Y1, Y3
	VMOVDQU   (R11)(CX*4), Y4
	VMOVDQU   (R10)(CX*4), Y5
	VPMULLD   Y4, Y2, Y2
	VPMULLD   Y4, Y3, Y3
	VPMINUD   Y3, Y2, Y2
	VPMINUD   Y5, Y2, Y3
	VPCMPEQD  Y3, Y2, Y2
	VMOVMSKPS Y2, AX
	MOVB      AX, (DI)
	INCQ      DI
	ADDQ      $8, CX
	JMP       test

tested:
	VZEROUPPER
	RET

// func fillASM(block *byte, count int, value byte)
//
// count is a multiple of 64.
TEXT ·fillASM(SB), NOSPLIT, $0-17
	MOVQ    block+0(FP), DI
	MOVQ    count+8(FP), DX
	MOVBLZX value+16(FP), AX
	VMOVD   AX, X0
	VPBROADCASTB X0, Y0
	ADDQ    DI, DX

line:
	CMPQ    DI, DX
	JGE     filled
	VMOVDQU Y0, (DI)
	VMOVDQU Y0, 32(DI)
	ADDQ    $64, DI
	JMP     line

filled:
	VZEROUPPER
	RET

// func nextSignASM(block *byte, from, to int) int
TEXT ·nextSignASM(SB), NOSPLIT, $0-32
	MOVQ block+0(FP), SI
	MOVQ from+8(FP), CX
	MOVQ to+16(FP), DX

line:
	CMPQ      CX, DX
	JGE       none
	VMOVDQU   (SI)(CX*1), Y0
	VPOR      32(SI)(CX*1), Y0, Y0
	VPMOVMSKB Y0, AX
	TESTL     AX, AX
	JNE       none
	ADDQ      $64, CX
	JMP       line

none:
	MOVQ CX, ret+24(FP)
	VZEROUPPER
	RET
