# Golden numbers of logistic regression with R's glm.
#
# Made with R 4.2.2.  Run: RETAILML_DATA=... Rscript logreg.R
#
# Writes logreg_glm.csv (a line per term; dropped ones are empty) and logreg_glm_stats.csv beside itself.
# "three" is the data of logreg.py (run that first), class "a" against the others.

source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))),
                 "linear.R"))

three <- read.csv(file.path(place(), "logreg_rows.csv"), na.strings = "", stringsAsFactors = FALSE)
telco <- data_file("telco_churn.csv")
keep <- c("SeniorCitizen", "tenure", "MonthlyCharges", "gender", "Partner", "Dependents", "PhoneService",
          "MultipleLines", "InternetService", "OnlineSecurity", "OnlineBackup", "DeviceProtection",
          "TechSupport", "StreamingTV", "StreamingMovies", "Contract", "PaperlessBilling", "PaymentMethod")
sets <- list(
  three = list(x = three[, c("x1", "x2", "c1")], y = as.numeric(three$y != "a"), w = three$w),
  telco = list(x = telco[, keep], y = as.numeric(telco$Churn == "Yes"), w = rep(1, nrow(telco))))

terms_file <- NULL
stats_file <- NULL
for (name in names(sets)) {
  set <- sets[[name]]
  X <- terms_of(set$x)
  y <- set$y
  w <- set$w
  # glm's tolerance for collinear terms shrinks with epsilon: find them first, then converge
  kept <- !is.na(coef(suppressWarnings(glm(y ~ X, family = binomial, weights = w))))
  K <- X[, kept[-1], drop = FALSE]
  fit <- suppressWarnings(glm(y ~ K, family = binomial, weights = w,
                              control = glm.control(epsilon = 1e-14, maxit = 100)))
  table <- summary(fit)$coefficients
  put <- function(values) { out <- rep("", length(kept)); out[kept] <- number(values); out }
  wide <- qnorm(0.975) * table[, 2]
  terms_file <- rbind(terms_file, data.frame(
    data = name, term = c("(intercept)", colnames(X)), estimate = put(table[, 1]),
    std_error = put(table[, 2]), z = put(table[, 3]), p = put(table[, 4]),
    low = put(table[, 1] - wide), high = put(table[, 1] + wide)))
  parameters <- sum(kept)
  n <- sum(w > 0)
  stats_file <- rbind(stats_file, data.frame(
    data = name, stat = c("n", "null_deviance", "deviance", "aic", "bic", "pseudo_r2"),
    value = number(c(n, fit$null.deviance, fit$deviance, fit$deviance + 2 * parameters,
                     fit$deviance + log(n) * parameters, 1 - fit$deviance / fit$null.deviance))))
}
write.csv(terms_file, file.path(place(), "logreg_glm.csv"), row.names = FALSE, quote = FALSE)
write.csv(stats_file, file.path(place(), "logreg_glm_stats.csv"), row.names = FALSE, quote = FALSE)
