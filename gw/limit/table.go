package limit

import (
	"context"
	"log/slog"
	"sync"

	"holdfast"
	"holdfast/volume"
)

// table is all rules at one time, with the accounts of those that are in use. The rules are not changed once it is published.
type table struct {
	rules map[Subject]rule

	mu       sync.Mutex
	accounts map[accountKey]*account
}

// rule is a record as it was read.
type rule struct {
	Rules
	tag holdfast.ETag
}

// accountKey names a limit: of a class, or of the bytes sent.
type accountKey struct {
	Subject
	class Class // Classes: bytes sent
}

// MaxSubjects bounds how many subjects may have rules: each gateway keeps all of them in memory.
const MaxSubjects = 100_000

// account returns the account of a limit, nil if there is no such limit.
func (t *table) account(k accountKey) *account {
	r, ok := t.rules[k.Subject]
	if !ok {
		return nil
	}
	name, b := "out", budget{}
	switch {
	case int(k.class) == Classes && r.Out > 0:
		b = outBudget(r.Out)
	case int(k.class) < Classes && r.PerMinute[k.class] > 0:
		name, b = k.class.String(), opBudget(r.PerMinute[k.class])
	default:
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.accounts[k]
	if a == nil {
		a = newAccount("c/"+k.key()+"/"+name, b)
		t.accounts[k] = a
	}
	return a
}

// load reads the rules that changed since the table before, which may be nil.
func load(ctx context.Context, v *volume.Volume, before *table, log *slog.Logger) (*table, error) {
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return nil, err
	}
	t := &table{rules: map[Subject]rule{}, accounts: map[accountKey]*account{}}
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
			break
		}
		opts.After = page.Next
	}
	if before != nil {
		before.mu.Lock()
		defer before.mu.Unlock()
		for k, a := range before.accounts { // what was taken of a limit that has not changed stays taken
			if t.rules[k.Subject].tag == before.rules[k.Subject].tag {
				t.accounts[k] = a
			}
		}
	}
	log.LogAttrs(ctx, slog.LevelDebug, "limits read", slog.Int("subjects", len(t.rules)))
	return t, nil
}

// read adds a record; one that cannot be read bounds nothing, as if it were not there, and is left out.
func (t *table) read(ctx context.Context, v *volume.Volume, before *table, key string, e *holdfast.Entry) error {
	s, err := parseKey(key)
	if err != nil {
		return nil
	}
	if before != nil && e != nil {
		if old, ok := before.rules[s]; ok && old.tag == e.ETag {
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
		t.rules[s] = rule{rules, r.Tag}
	}
	return nil
}
