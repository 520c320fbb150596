# Golden numbers of linear regression, with R's lm and, for HC1 and HC3, sandwich's vcovHC.
#
# Made with R 4.2.2 and sandwich 3.0-2.  Run: RETAILML_DATA=... Rscript linreg.R
#
# Writes linreg_rows.csv (small data sets that the tests fit), linreg.csv (a line per term; dropped
# ones are empty) and linreg_stats.csv beside itself.  Data sets "longley" and "mixed" are in the first,
# "diabetes" and "telco" in RETAILML_DATA.  Polynomials are in linreg_exact.py.

suppressMessages(library(sandwich))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))),
                 "linear.R"))

mixed <- function() {
  i <- 0:149
  x1 <- ((i * 37) %% 101) / 10
  x2 <- ((i * 53) %% 89) / 7
  c1 <- c("b", "a", "c", "b", "d", NA, "b")[1 + (i * 5 + i %/% 11) %% 7]
  c2 <- c("yes", "no", "no")[1 + (i %/% 3 + i * i) %% 3]
  noise <- ((i * 71) %% 97) / 30 * (1 + x1 / 5)
  data.frame(x1 = x1, x2 = x2, x3 = 2 * x1 - x2 + 3, constant = 5, c1 = c1, c2 = c2,
             w = c(1, 2, 0.5, 0, 3, 1.25)[1 + i %% 6],
             y = 3 + x1 - 2 * x2 + (c2 == "yes") * 4 + (is.na(c1)) * 2 + noise,
             stringsAsFactors = FALSE)
}

sets <- list()
sets$longley <- list(x = longley[, 1:6], y = longley$Employed, w = rep(1, 16))
m <- mixed()
sets$mixed <- list(x = m[, c("x1", "x2", "x3", "constant", "c1", "c2")], y = m$y, w = m$w)
small <- names(sets)

rows <- NULL
for (name in small) {
  set <- sets[[name]]
  wide <- data.frame(data = name, y = number(set$y), w = number(set$w))
  for (j in 1:6) {
    column <- set$x[[j]]
    wide[[paste0("name", j)]] <- names(set$x)[j]
    wide[[paste0("x", j)]] <- if (is.numeric(column)) number(column) else ifelse(is.na(column), "", column)
  }
  rows <- rbind(rows, wide)
}
write.csv(rows, file.path(place(), "linreg_rows.csv"), row.names = FALSE, quote = FALSE)

diabetes <- data_file("diabetes.csv")
sets$diabetes <- list(x = diabetes[, 1:10], y = diabetes$target, w = rep(1, nrow(diabetes)))
telco <- data_file("telco_churn.csv")
keep <- c("SeniorCitizen", "tenure", "MonthlyCharges", "gender", "Partner", "Dependents", "PhoneService",
          "MultipleLines", "InternetService", "OnlineSecurity", "OnlineBackup", "DeviceProtection",
          "TechSupport", "StreamingTV", "StreamingMovies", "Contract", "PaperlessBilling", "PaymentMethod")
total <- suppressWarnings(as.numeric(telco$TotalCharges))
sets$telco <- list(x = telco[!is.na(total), keep], y = total[!is.na(total)],
                   w = rep(1, sum(!is.na(total))))

coefficients_file <- NULL
stats_file <- NULL
for (name in names(sets)) {
  set <- sets[[name]]
  X <- terms_of(set$x)
  w <- set$w
  y <- set$y
  full <- lm(y ~ X, weights = w)
  kept <- !is.na(coef(full))
  K <- X[, kept[-1], drop = FALSE]
  used <- w > 0
  fit <- lm(y ~ K, weights = w, subset = used)
  table <- summary(fit)$coefficients
  hc1 <- sqrt(diag(vcovHC(fit, type = "HC1")))
  hc3 <- sqrt(diag(vcovHC(fit, type = "HC3")))
  interval <- confint(fit)
  blank <- rep("", length(kept))
  put <- function(values) { out <- blank; out[kept] <- number(values); out }
  coefficients_file <- rbind(coefficients_file, data.frame(
    data = name, term = c("(intercept)", colnames(X)), estimate = put(table[, 1]),
    std_error = put(table[, 2]), t = put(table[, 3]), p = put(table[, 4]),
    low = put(interval[, 1]), high = put(interval[, 2]), hc1 = put(hc1), hc3 = put(hc3)))
  s <- summary(fit)
  f <- s$fstatistic
  z <- scale(K[used, , drop = FALSE] , center = apply(K[used, , drop = FALSE], 2, weighted.mean, w = w[used]), scale = FALSE) * sqrt(w[used])
  z <- sweep(z, 2, sqrt(colSums(z^2)), "/")
  d <- svd(z)$d
  stats_file <- rbind(stats_file, data.frame(data = name, stat = c(
    "n", "df", "rss", "sigma", "r2", "adjusted_r2", "f", "f_df", "f_p", "log_likelihood", "aic", "bic",
    "condition"), value = number(c(
    sum(used), fit$df.residual, deviance(fit), s$sigma, s$r.squared, s$adj.r.squared, f[1], f[2],
    pf(f[1], f[2], f[3], lower.tail = FALSE), logLik(fit), AIC(fit), BIC(fit), max(d) / min(d)))))
}
write.csv(coefficients_file, file.path(place(), "linreg.csv"), row.names = FALSE, quote = FALSE)
write.csv(stats_file, file.path(place(), "linreg_stats.csv"), row.names = FALSE, quote = FALSE)
