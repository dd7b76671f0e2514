package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"fairfactor"
	"fairfactor/factor"
)

// reason says why there is no answer, and what was found all the same.
func reason(a answer) string {
	switch {
	case len(a.remaining) > 0 && a.number != "":
		what := fmt.Sprintf("%s: %v", a.number, a.err)
		if len(a.primes) > 0 {
			what += "; found " + factor.Spell(a.primes)
		}
		return what + "; composite remains: " + strings.Join(a.remaining, " ")
	case fairfactor.CodeOf(a.err) != fairfactor.Internal:
		return fairfactor.MessageOf(a.err)
	}
	return fmt.Sprintf("%.60s: %v", a.word, a.err)
}

// writeJSON keeps the primes in ascending order, which a map would not.
func (f *form) writeJSON(out *bufio.Writer, a answer) {
	var factors, proofs, probable strings.Builder
	for _, p := range a.primes {
		prime := strconv.Quote(p.P)
		appendMember(&factors, prime+":"+strconv.Itoa(p.Exponent))
		if p.Proven {
			appendMember(&proofs, prime+":"+strconv.Quote(string(p.Proof)))
		} else {
			appendMember(&probable, prime)
		}
	}
	methods, _ := json.Marshal(a.methods.Names()) // plain words
	fmt.Fprintf(out, `{"number":%q,"result":{%s},"methods":%s`, a.number, factors.String(), methods)
	if proofs.Len() > 0 {
		fmt.Fprintf(out, `,"proof":{%s}`, proofs.String())
	}
	if probable.Len() > 0 {
		fmt.Fprintf(out, `,"probable":[%s]`, probable.String())
	}
	if a.err != nil {
		why := a.err.Error()
		if errors.Is(a.err, errInterrupted) {
			why = errInterrupted.Error()
		}
		remaining, _ := json.Marshal(a.remaining) // digits
		text, _ := json.Marshal(why)
		fmt.Fprintf(out, `,"remaining":%s,"error":%s`, remaining, text)
	}
	if a.err == nil {
		out.WriteString(f.members(&a))
	}
	fmt.Fprintf(out, ",\"took_us\":%d}\n", a.took.Microseconds())
}

// appendMember appends a member of a JSON object or array.
func appendMember(b *strings.Builder, member string) {
	if b.Len() > 0 {
		b.WriteByte(',')
	}
	b.WriteString(member)
}
