package limit

import (
	"context"
	"sync/atomic"

	"holdfast"
	"holdfast/volume"
)

// table is all rules at one time. It is not changed once it is published, but for the accounts of limits that come into use.
type table struct {
	rules map[Subject]*rule
}

// rule is a record as it was read.
type rule struct {
	Rules
	tag      holdfast.ETag
	accounts [Classes + 1]atomic.Pointer[account] // by class; the last is that of bytes sent
}

// out is the class of what is no operation: bytes sent.
const out = Class(Classes)

// limitName names a limit in keys.
func limitName(c Class) string {
	if c == out {
		return "out"
	}
	return c.String()
}

// MaxSubjects bounds how many subjects may have rules: each gateway keeps all of them in memory.
const MaxSubjects = 100_000

// account returns the account of a limit, nil if there is no such limit.
func (t *table) account(s Subject, c Class) *account {
	if s.name == "" {
		return nil
	}
	r := t.rules[s]
	if r == nil {
		return nil
	}
	if a := r.accounts[c].Load(); a != nil {
		return a
	}
	var b budget
	switch {
	case c == out && r.Out > 0:
		b = outBudget(r.Out)
	case c != out && r.PerMinute[c] > 0:
		b = opBudget(r.PerMinute[c])
	default:
		return nil
	}
	r.accounts[c].CompareAndSwap(nil, newAccount(ledgerKey(s, limitName(c)), b))
	return r.accounts[c].Load()
}

func (t *table) quota(s Subject) int64 {
	if r := t.rules[s]; r != nil {
		return r.Quota
	}
	return 0
}

// load reads the rules. Those that have not changed since the table before, which may be nil, are taken from it with their accounts: what
// was taken stays taken.
func load(ctx context.Context, v *volume.Volume, before *table) (*table, error) {
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return nil, err
	}
	t := &table{rules: make(map[Subject]*rule)}
	opts := volume.ListOptions{Prefix: rulesPrefix, Limit: 1000}
	for {
		page, err := b.List(ctx, opts)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if len(t.rules) < MaxSubjects {
				if err := t.read(ctx, v, before, page.Items[i].Key, page.Items[i].Entry); err != nil {
					return nil, err
				}
			}
		}
		if !page.More {
			return t, nil
		}
		opts.After = page.Next
	}
}

// read adds a record; one that cannot be read bounds nothing, as if it were not there, and is left out.
func (t *table) read(ctx context.Context, v *volume.Volume, before *table, key string, e *holdfast.Entry) error {
	s, err := parseKey(key)
	if err != nil {
		return nil
	}
	if before != nil && e != nil {
		if old := before.rules[s]; old != nil && old.tag == e.ETag {
			t.rules[s] = old
			return nil
		}
	}
	r, err := v.ReadRecord(ctx, key)
	if err != nil || r.Tag.IsZero() {
		return err
	}
	rules, err := decode(r.Value)
	if err == nil {
		t.rules[s] = &rule{Rules: rules, tag: r.Tag}
	}
	return nil
}
