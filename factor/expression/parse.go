package expression

import "strings"

// operation is what a step does with the values on top of the stack.
type operation uint8

const (
	push operation = iota // the number of the step
	add
	subtract
	multiply
	divide
	remainder
	power
	negate
	factorial
	primorial
	fibonacci
	lucas
	mersenne
	repunit
)

// step is one operation of an expression in postfix order: 2^67-1 is the steps 2, 67,
// power, 1, subtract.
type step struct {
	do     operation
	at     int // byte of the sign, name or number
	number     // for push
}

// functions are the operations that have names.
var functions = map[string]operation{"F": fibonacci, "L": lucas, "M": mersenne, "R": repunit}

// Operators that bind to the left.
var (
	sums     = map[rune]operation{'+': add, '-': subtract}
	products = map[rune]operation{'*': multiply, '/': divide, '%': remainder}
)

// parser turns tokens into steps, one method for each rule of the grammar.
type parser struct {
	scan  scanner
	now   token // the one at hand
	depth int
	steps []step
}

// parse returns the steps of a text, at least one. It computes nothing.
func parse(text string, l limits) ([]step, *Error) {
	if len(text) > l.bytes {
		return nil, errorAt(l.bytes, "the expression has %d bytes, more than %d", len(text), l.bytes)
	}
	p := &parser{scan: scanner{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.now.kind == endToken {
		return nil, errorAt(0, "the expression is empty: send a positive integer, or something like 2^67-1")
	}
	if err := p.sum(); err != nil {
		return nil, err
	}
	switch p.now.kind {
	case endToken:
		return p.steps, nil
	case ')':
		return nil, errorAt(p.now.at, `")" closes nothing`)
	}
	return nil, errorAt(p.now.at, "an operator is missing before %q", p.now.text)
}

func (p *parser) advance() (err *Error) {
	p.now, err = p.scan.next()
	return err
}

// emit appends a step.
func (p *parser) emit(do operation, at int) { p.steps = append(p.steps, step{do: do, at: at}) }

// deeper enters what may be within itself, and refuses to go too deep; shallower
// leaves it.
func (p *parser) deeper() *Error {
	if p.depth++; p.depth > maxDepth {
		return errorAt(p.now.at, "the expression is nested more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) shallower() { p.depth-- }

// after reads with a rule of the grammar what follows the token at hand.
func (p *parser) after(rule func() *Error) *Error {
	if err := p.advance(); err != nil {
		return err
	}
	return rule()
}

func (p *parser) sum() *Error {
	return p.chain(p.product, sums)
}

func (p *parser) product() *Error {
	return p.chain(p.signed, products)
}

// chain reads operands with operators between them that bind to the left.
func (p *parser) chain(operand func() *Error, operators map[rune]operation) *Error {
	if err := operand(); err != nil {
		return err
	}
	for {
		do, ok := operators[p.now.kind]
		if !ok {
			return nil
		}
		at := p.now.at
		if err := p.after(operand); err != nil {
			return err
		}
		p.emit(do, at)
	}
}

func (p *parser) signed() *Error {
	if p.now.kind != '+' && p.now.kind != '-' {
		return p.power()
	}
	if err := p.deeper(); err != nil {
		return err
	}
	defer p.shallower()
	sign := p.now
	if err := p.after(p.signed); err != nil {
		return err
	}
	if sign.kind == '-' {
		p.emit(negate, sign.at)
	}
	return nil
}

func (p *parser) power() *Error {
	if err := p.postfix(); err != nil || p.now.kind != powerToken {
		return err
	}
	if err := p.deeper(); err != nil {
		return err
	}
	defer p.shallower()
	at := p.now.at
	if err := p.after(p.signed); err != nil {
		return err
	}
	p.emit(power, at)
	return nil
}

func (p *parser) postfix() *Error {
	if err := p.operand(); err != nil {
		return err
	}
	for p.now.kind == '!' || p.now.kind == '#' {
		t := p.now
		do := factorial
		if t.kind == '#' {
			do = primorial
		}
		p.emit(do, t.at)
		if err := p.advance(); err != nil {
			return err
		}
		if t.kind == '!' && p.now.kind == '!' {
			return errorAt(p.now.at, `"!!" may mean the double factorial or (n!)!: write the latter in parentheses`)
		}
	}
	return nil
}

func (p *parser) operand() *Error {
	t := p.now
	switch t.kind {
	case numberToken:
		p.steps = append(p.steps, step{do: push, at: t.at, number: t.number})
		return p.advance()
	case '(':
		return p.parentheses()
	case nameToken:
		return p.call()
	case endToken:
		return errorAt(t.at, "a number is missing at the end")
	}
	return errorAt(t.at, "a number is missing before %q", t.text)
}

// parentheses reads ( sum ).
func (p *parser) parentheses() *Error {
	if err := p.deeper(); err != nil {
		return err
	}
	defer p.shallower()
	open := p.now
	if err := p.after(p.sum); err != nil {
		return err
	}
	switch p.now.kind {
	case ')':
		return p.advance()
	case endToken:
		return errorAt(open.at, `"(" is not closed`)
	}
	return errorAt(p.now.at, "an operator is missing before %q", p.now.text)
}

// call reads the name of a function and its argument.
func (p *parser) call() *Error {
	name := p.now
	do, ok := functions[strings.ToUpper(name.text)]
	if !ok {
		return errorAt(name.at, "%q is no function: there are F (Fibonacci), L (Lucas), M (Mersenne) and R (repunit)", name.text)
	}
	if err := p.advance(); err != nil {
		return err
	}
	if p.now.kind != '(' {
		return errorAt(p.now.at, "%s needs its argument in parentheses, as in %s(31)", name.text, name.text)
	}
	if err := p.parentheses(); err != nil {
		return err
	}
	p.emit(do, name.at)
	return nil
}
