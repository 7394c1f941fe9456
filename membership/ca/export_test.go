package ca

// Accept checks a grant as Install does, and writes nothing.
func (r *Request) Accept(g Grant) error {
	_, err := r.accept(g)
	return err
}
