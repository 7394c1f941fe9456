package objsrv

// ExpirePins does what the background does every second.
func (e *Engine) ExpirePins() { e.set.Release(e.pins.expire()...) }
