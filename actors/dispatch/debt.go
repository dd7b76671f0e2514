package dispatch

// A caller may owe CPU that no turn of it used: a quantum for each job that ended with
// what was known of its number, and its part in a job of another caller that found its
// factors too. It pays when its turn comes: in place of a turn it is charged what it
// owes, at most what the longest turn may use, and goes to the end of the round. So a
// debt is like turns that are over at once, and the bound of docs/fairness.md holds: a
// charge goes to a member within the slack of the one that has least, and nothing of
// it is in a worker's hands.

// pay charges the caller whose turn it is what it owes, and reports whether it owed
// something.
func (m *Machine) pay(c *caller) bool {
	debt := m.debts[c]
	if debt <= 0 {
		return false
	}
	part := min(debt, LongestTurn)
	m.ring.Settle(&c.fair, m.ring.Charge(&c.fair, part), part)
	if m.debts[c] = debt - part; m.debts[c] <= 0 {
		delete(m.debts, c)
	}
	return true
}
