"""
Strings, dates and missing values
=================================

A raw table goes in as it is; the best pipeline that comes out is plain
scikit-learn and takes the raw table too.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score, train_test_split

from sk_meta import MetaLearnerClassifier

# A real table, made as untidy as tables are.
X, y = load_wine(return_X_y=True, as_frame=True)
y = np.array(["barolo", "grignolino", "barbera"])[y]
rng = np.random.default_rng(0)
X["colour"] = pd.cut(X.pop("color_intensity"), 3, labels=["pale", "red", "dark"])
X["tasted"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(
    rng.integers(0, 300, len(X)), unit="D"
)
X.loc[rng.random(len(X)) < 0.2, "magnesium"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

model = MetaLearnerClassifier(n_candidates=8, n_jobs=2, random_state=0)
model.fit(X_train, y_train)
print(model.columns_[["column", "kind", "missing"]].to_string())
print(f"\nheld-out accuracy: {model.score(X_test, y_test):.3f}")
print(model.best_estimator_)

# %%
# It is an estimator like any other.
scores = cross_val_score(model.set_params(n_candidates=3), X, y, cv=3)
print(f"cross-validated accuracy: {scores.mean():.3f} ± {scores.std():.3f}")
