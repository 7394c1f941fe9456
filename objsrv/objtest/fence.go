package objtest

import (
	"sync"
	"sync/atomic"

	"holdfast"
)

// Fence is a [holdfast.Fence] that holds until it is told otherwise. Safe for concurrent use.
type Fence struct {
	epoch     holdfast.Epoch
	Confirms  atomic.Int64
	mu        sync.Mutex
	held      error // what Held and Confirm return; guarded by mu, as are the next two
	confirm   error // what only Confirm returns
	onConfirm func()
}

// NewFence returns a fence of an epoch that is in force.
func NewFence(epoch holdfast.Epoch) *Fence { return &Fence{epoch: epoch} }

var _ holdfast.Fence = (*Fence)(nil)

// Epoch implements [holdfast.Fence].
func (f *Fence) Epoch() holdfast.Epoch { return f.epoch }

// Held implements [holdfast.Fence].
func (f *Fence) Held() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held
}

// Confirm implements [holdfast.Fence].
func (f *Fence) Confirm() error {
	f.Confirms.Add(1)
	f.mu.Lock()
	hook, err := f.onConfirm, f.held
	if err == nil {
		err = f.confirm
	}
	f.mu.Unlock()
	if hook != nil {
		hook()
	}
	return err
}

// Lose implements [holdfast.Fence].
func (f *Fence) Lose(reason error) { f.Set(holdfast.E("fence", holdfast.NotOwner, reason)) }

// Set makes Held and Confirm return err from now on; nil puts the fence back in force.
func (f *Fence) Set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = err
}

// SetConfirm makes only Confirm return err from now on.
func (f *Fence) SetConfirm(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.confirm = err
}

// OnConfirm has f called within each Confirm.
func (f *Fence) OnConfirm(hook func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onConfirm = hook
}
