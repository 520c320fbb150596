/*
 * elbow.h
 *	  The elbow of a curve that falls steeply and then flattens, such as inertia over k.
 *
 * Kneedle: V. Satopaa, J. Albrecht, D. Irwin and B. Raghavan, "Finding a 'kneedle' in a haystack:
 * detecting knee points in system behavior", ICDCS Workshops 2011, for decreasing convex curves,
 * offline, sensitivity S = 1, without the smoothing spline (a handful of exact points needs
 * none).  Both axes are scaled to [0, 1]; the elbow is the first local maximum of the distance
 * between the curve and the straight line through its ends, given that the distance then falls
 * by the mean step of x before it rises again.  Where the paper leaves a choice (ends of the
 * curve, plateaus) this does what the Python package kneed does, so both find the same point.
 */
#ifndef RETAILML_ELBOW_H
#define RETAILML_ELBOW_H

/*
 * Position 0 .. n - 1 of the elbow of y [n] over x [n], strictly increasing.  -1 when there is
 * none: fewer than three points, a straight or a constant line, a number that is not finite.
 */
extern int rml_elbow(const double *x, const double *y, int n);

#endif /* RETAILML_ELBOW_H */
