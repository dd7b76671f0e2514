package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/rules"
)

// deliveries are what is known of claims. No other process claims deliveries of this
// directory, so a claim need not be written: the next start claims them again.
type deliveries struct {
	mu     sync.Mutex
	claims map[jobKey]claimedDelivery // guarded by mu
	last   uint64                     // guarded by mu: claim
	agenda agenda
	owed   chan struct{}
}

// claimedDelivery is a delivery in the hands of who makes the attempt.
type claimedDelivery struct {
	claim uint64
	until time.Time
	order uint64
	due   []byte // key of its entry
}

// delivery is the record of a delivery.
type delivery struct {
	order    uint64              // of the job
	callback fairfactor.Callback // without its URL
}

// dueKey orders deliveries to a host by time.
func dueKey(b []byte, host string, micros int64, p jobKey) []byte {
	b = append(append(append(b, kindDue), host...), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(micros)^1<<63)
	return put40(put40(b, p.caller), p.seq)
}

// dueTail is the length of what follows the host in a key made by dueKey.
const dueTail = 1 + 8 + 5 + 5

// staleAtOnce bounds the entries that one call of ClaimDeliveries removes.
const staleAtOnce = 4096

// hostOf and dueOf are the parts of a key made by dueKey.
func hostOf(key []byte) string { return string(key[1 : len(key)-dueTail]) }

func dueOf(key []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(key[len(key)-dueTail+1:]) ^ 1<<63)).UTC()
}

// beforeHost comes before all entries of a host, afterHost is the first key after them.
func beforeHost(host string) []byte { return append(append([]byte{kindDue}, host...), 0) }

func afterHost(host string) []byte { return append(append([]byte{kindDue}, host...), 1) }

// owe notes that the callback of a job that has ended is to be told.
func (st *staging) owe(j *fairfactor.Job) {
	if j.Callback == nil {
		return
	}
	st.owes = append(st.owes, &appointment{host: j.Callback.Host(), due: time.UnixMicro(micros(j.Finished))})
	d := delivery{order: j.Order, callback: fairfactor.Callback{State: fairfactor.DeliveryPending, Next: j.Finished}}
	d.write(st.batch, j.ID, j.Callback.Host())
}

// disown is for a job that is queued again. The entry by time is left to the claim that
// finds it.
func (st *staging) disown(j *fairfactor.Job) {
	if j.Callback != nil {
		st.batch.Delete(slot(nil, kindDelivery, j.ID.Caller, j.ID.Seq), nil)
	}
}

// write writes a delivery, with its entry by time if it is pending.
func (d *delivery) write(b *pebbledb.Batch, id fairfactor.ID, host string) {
	key := slot(nil, kindDelivery, id.Caller, id.Seq)
	c := &d.callback
	value := append(binary.AppendUvarint(nil, d.order), byte(c.State))
	value = binary.AppendUvarint(value, uint64(c.Attempts))
	next := int64(0)
	if c.State == fairfactor.DeliveryPending {
		next = micros(c.Next)
	}
	value = appendString(binary.AppendVarint(value, next), c.LastError)
	b.Set(key, seal(key, value), nil)
	if c.State == fairfactor.DeliveryPending {
		due := dueKey(nil, host, next, jobKey{id.Caller, id.Seq})
		b.Set(due, seal(due, binary.AppendUvarint(nil, id.Nonce)), nil)
	}
}

// delivery reads the record of a delivery, without the URL.
func (s *Store) delivery(p jobKey) (d delivery, ok bool, err error) {
	key := slot(nil, kindDelivery, p.caller, p.seq)
	value, ok, err := get(s.db, key)
	if err != nil || !ok {
		return d, false, err
	}
	r := reader{b: value}
	d.order = r.uvarint()
	d.callback.State = fairfactor.DeliveryState(r.byte())
	d.callback.Attempts = int(r.uvarint())
	next := r.varint()
	if d.callback.State == fairfactor.DeliveryPending {
		d.callback.Next = time.UnixMicro(next).UTC()
	}
	d.callback.LastError = r.string()
	if r.bad || len(r.b) != 0 {
		return d, false, damaged(key, "the delivery has an unknown form")
	}
	return d, true, nil
}

// attach adds to jobs that have ended what became of their deliveries.
func (s *Store) attach(jobs ...*fairfactor.Job) error {
	for _, j := range jobs {
		if j.Callback == nil || !j.State.Final() {
			continue
		}
		d, ok, err := s.delivery(jobKeyOf(j))
		if err != nil {
			return err
		}
		if ok && d.order == j.Order {
			url := j.Callback.URL
			j.Callback = &d.callback
			j.Callback.URL = url
		}
	}
	return nil
}

// Owed implements [fairfactor.DeliveryStore].
func (s *Store) Owed() <-chan struct{} { return s.deliveries.owed }

// owe says that hosts are owed deliveries.
func (d *deliveries) owe(hosts []*appointment) {
	if len(hosts) == 0 {
		return
	}
	d.agenda.back(hosts)
	select {
	case d.owed <- struct{}{}:
	default:
	}
}

// ClaimDeliveries implements [fairfactor.DeliveryStore].
func (s *Store) ClaimDeliveries(
	ctx context.Context, now time.Time, lease time.Duration, busy []string, perHost, limit int,
) ([]fairfactor.Delivery, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	d := &s.deliveries
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.agenda.fill(s.db); err != nil {
		return nil, err
	}
	hosts := d.agenda.take(now, limit+len(busy))
	it, err := s.db.NewIter(iterBounds(kindBounds(kindDue))) // what is owed after this is in the agenda again
	if err != nil {
		d.agenda.back(hosts)
		return nil, readError(err)
	}
	defer it.Close()
	c := claiming{s: s, now: now, until: now.Add(lease), perHost: perHost, limit: limit, stale: s.db.NewBatch()}
	defer c.stale.Close()
	for i, x := range hosts {
		if slices.Contains(busy, x.host) || len(c.list) >= limit {
			d.agenda.put(x.host, x.due)
			continue
		}
		next, err := c.host(ctx, it, x.host)
		if err != nil {
			d.agenda.back(hosts[i:])
			return nil, err
		}
		if !next.IsZero() {
			d.agenda.put(x.host, next)
		}
	}
	if !c.stale.Empty() {
		if err := s.db.Apply(c.stale, pebbledb.NoSync); err != nil {
			s.die(err)
		}
	}
	return c.list, readError(it.Error())
}

// claiming is one call of ClaimDeliveries.
type claiming struct {
	s              *Store
	now, until     time.Time
	perHost, limit int
	list           []fairfactor.Delivery
	stale          *pebbledb.Batch // removes entries of deliveries that are no longer owed
}

// host claims deliveries to a host. It returns when to look at the host again, zero if it
// is owed nothing more.
func (c *claiming) host(ctx context.Context, it *pebbledb.Iterator, host string) (next time.Time, err error) {
	again := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	end, taken := afterHost(host), 0
	for ok := it.SeekGE(beforeHost(host)); ok && bytes.Compare(it.Key(), end) < 0; ok = it.Next() {
		due := dueOf(it.Key())
		if due.After(c.now) || taken == c.perHost || len(c.list) == c.limit || c.stale.Count() >= staleAtOnce {
			again(due)
			break
		}
		tail := it.Key()[len(it.Key())-dueTail+1+8:]
		p := jobKey{get40(tail), get40(tail[5:])}
		if have, ok := c.s.deliveries.claims[p]; ok && bytes.Equal(have.due, it.Key()) && !have.until.Before(c.now) {
			again(have.until)
			continue
		}
		ok, err := c.take(ctx, it, p, due)
		switch {
		case fairfactor.CodeOf(err) == fairfactor.Internal: // it holds up no other, and is looked at again after the lease
			c.s.log.Error("the callback of a job that is damaged can't be told", "err", err)
			c.hold(p, 0, it.Key())
			again(c.until)
		case err != nil:
			return next, err
		case ok:
			taken++
			again(c.until)
		default:
			c.stale.Delete(bytes.Clone(it.Key()), nil)
		}
	}
	return next, readError(it.Error())
}

// take claims a delivery. It is false if there is no such delivery any more.
func (c *claiming) take(ctx context.Context, it *pebbledb.Iterator, p jobKey, due time.Time) (bool, error) {
	value, err := iterValue(it)
	if err != nil {
		return false, err
	}
	r := reader{b: value}
	id := fairfactor.ID{Nonce: r.uvarint(), Caller: p.caller, Seq: p.seq}
	job, err := c.s.Job(ctx, id)
	switch {
	case fairfactor.CodeOf(err) == fairfactor.NotFound:
		return false, nil
	case err != nil:
		return false, err
	case !job.State.Final() || job.Callback == nil || job.Callback.State != fairfactor.DeliveryPending || !job.Callback.Next.Equal(due):
		return false, nil
	}
	c.list = append(c.list, fairfactor.Delivery{Job: job, Claim: c.hold(p, job.Order, it.Key())})
	return true, nil
}

// hold keeps later calls from a delivery until the lease is over, and returns its claim.
func (c *claiming) hold(p jobKey, order uint64, due []byte) (claim uint64) {
	d := &c.s.deliveries
	if d.claims == nil {
		d.claims = map[jobKey]claimedDelivery{}
	}
	d.last++
	d.claims[p] = claimedDelivery{d.last, c.until, order, bytes.Clone(due)}
	return d.last
}

// SettleDeliveries implements [fairfactor.DeliveryStore].
func (s *Store) SettleDeliveries(ctx context.Context, settled []fairfactor.Settled) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.deliveries.mu.Lock()
	defer s.deliveries.mu.Unlock()
	wait, err := s.settle(settled)
	if err != nil || wait == nil {
		return err
	}
	return wait()
}

// settle writes what came of attempts, if the claims hold.
func (s *Store) settle(settled []fairfactor.Settled) (wait func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	b := s.db.NewBatch()
	var next []*appointment
	for i := range settled {
		x := &settled[i]
		p := jobKey{x.ID.Caller, x.ID.Seq}
		claim, ok := s.deliveries.claims[p]
		if !ok || claim.claim != x.Claim || x.Claim == 0 {
			continue
		}
		d, ok, err := s.delivery(p)
		if err != nil {
			b.Close()
			return nil, err
		}
		delete(s.deliveries.claims, p)
		if !ok || d.order != claim.order {
			continue
		}
		host := hostOf(claim.due)
		d.callback = *rules.Settle(d.callback, x)
		b.Delete(claim.due, nil)
		d.write(b, x.ID, host)
		if d.callback.State == fairfactor.DeliveryPending {
			next = append(next, &appointment{host: host, due: d.callback.Next})
		}
	}
	if b.Empty() {
		b.Close()
		return nil, nil
	}
	wait = s.start(b)
	s.deliveries.agenda.back(next)
	return wait, nil
}
