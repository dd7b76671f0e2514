package main

import (
	"path/filepath"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/flight"
)

// flights is the directory of what processes note of the turns that they run, see package
// flight. With a shared store it is all that --data is for.
func (n *node) flights() string { return filepath.Join(n.cfg.data, "flights") }

// record begins the notes of this process.
func (n *node) record(process string, threads int) (actors.Recorder, error) {
	r, err := flight.Create(n.flights(), process, threads)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Unavailable, err, "no file can be kept in "+n.flights())
	}
	n.flight = r
	return r, nil
}

// obituaries are what processes of this directory were at when they died.
func (n *node) obituaries() (all []actors.Obituary) {
	lasts, err := flight.Read(n.flights())
	if err != nil {
		n.log.Warn("what earlier processes ran when they died can't be read", "err", err)
	}
	for i := range lasts {
		last := &lasts[i]
		o := actors.Obituary{Process: last.Process, Told: last.Forget}
		for _, t := range last.Turns {
			n.log.Warn("a process of this node died while it ran a job", "node", last.Process, "caller", t.Caller, "job", t.ID.String())
			o.Turns = append(o.Turns, actors.LostTurn{Caller: t.Caller, ID: t.ID, Number: t.Number})
		}
		all = append(all, o)
	}
	return all
}
