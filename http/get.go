package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"fairfactor"
)

// lookup is the answer to POST /compute/get: it reads lines with ids and gives the job
// of each, or the problem, in order.
type lookup struct {
	exchange
	plan []error // for each line of the group its refusal, nil for the next of ids
	ids  []fairfactor.ID
}

// postGet shows many jobs.
func (s *Server) postGet(r *request) error {
	if _, err := checkMedia(r, ndjsonTypes); err != nil {
		return err
	}
	l := &lookup{}
	return l.begin(s, r, "a look at many jobs", l.nextGroup)
}

// nextGroup reads lines as long as there are whole ones at hand and answers them.
func (l *lookup) nextGroup() {
	l.plan, l.ids = l.plan[:0], l.ids[:0]
	for len(l.plan) < partLength && (len(l.plan) == 0 || !l.lines.waiting()) {
		line, err := l.lines.next()
		if err != nil && !errors.Is(err, errLineTooLong) {
			var last error
			if last, l.end = l.lastLine(err); last != nil {
				l.plan = append(l.plan, last)
			}
			break
		}
		if err != nil {
			l.plan = append(l.plan, lineTooLong())
			continue
		}
		id, err := parseIDLine(line)
		if l.plan = append(l.plan, err); err == nil {
			l.ids = append(l.ids, id)
		}
	}
	l.answer()
}

// lineTooLong is the problem of a line that was skipped.
func lineTooLong() error {
	return refuse(tooLarge, fmt.Sprintf("the line has more than %d bytes: send shorter ones", maxLineBytes), count("max_bytes", maxLineBytes))
}

// parseIDLine reads a line with an id: a JSON string, an object with the member
// request_id, as a batch or a list has it, or the id as it is.
func parseIDLine(line []byte) (fairfactor.ID, error) {
	line = bytes.TrimSpace(line)
	if len(line) == fairfactor.IDLen {
		return jobID(string(line))
	}
	var text string
	if len(line) > 0 && line[0] == '{' {
		var object struct {
			ID *string `json:"request_id"`
		}
		if json.Unmarshal(line, &object) != nil || object.ID == nil {
			return fairfactor.ID{}, badLine(line)
		}
		text = *object.ID
	} else if json.Unmarshal(line, &text) != nil {
		return fairfactor.ID{}, badLine(line)
	}
	return jobID(text)
}

func badLine(line []byte) error {
	return refuse(badRequest, `a line must be the id of a job, such as "bmx1rhz2q40000002400000004", or an object with the member request_id`, shown("line", string(line)))
}

// answer appends a line for each line of the group.
func (l *lookup) answer() {
	var jobs []fairfactor.Job
	var failure error
	if len(l.ids) > 0 {
		if failure = l.room(); failure == nil {
			jobs, failure = l.s.jobs.Get(l.s.bounded(), l.ids)
		}
		if failure == nil && len(jobs) != len(l.ids) {
			failure = fairfactor.Errorf(fairfactor.Internal, "%d jobs for %d ids", len(jobs), len(l.ids))
		}
		if failure != nil && problemOf(failure).kind == broken {
			l.s.log.Error(l.name+" failed", "err", failure)
		}
	}
	next := 0
	for _, err := range l.plan {
		if err != nil {
			l.refuse(err)
			continue
		}
		id := l.ids[next].String()
		switch next++; {
		case failure != nil:
			l.refuse(aboutJob(failure, id))
		case jobs[next-1].State == 0, l.as != nil && !l.as.Reads(jobs[next-1].Caller):
			l.refuse(aboutJob(fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id), id))
		default:
			l.out = append(AppendJob(l.out, &jobs[next-1]), '\n')
		}
	}
}
